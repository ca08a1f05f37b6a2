// The nearest bank row of every row of a block: the scan with a threshold that follows the best.
//
// Most rows are left with one candidate, and their label is certain without a look at the rows
// themselves. The others are decided by exact dots.
#pragma once

#include "cpu/isa/pack.h"
#include "cpu/isa/rescore.h"
#include "cpu/isa/workspace.h"

namespace mmi {
namespace {

template <typename Tile>
class Assignment {
 public:
  Assignment(const AssignBlock& block, std::int64_t rows)
      : block_(block), panels_(block_count(rows, Tile::kLanes)), space_(block.workspace) {
    const std::int64_t lanes = panels_ * Tile::kLanes;
    candidates_.k = 1;
    candidates_.capacity = 256;
    candidates_.take(space_, lanes);
    values_ = space_.take<double>(lanes);
    log_.template take<Tile>(space_, panels_);
  }

  std::int64_t workspace_bytes() const { return space_.used(); }

  void run() {
    for (std::int64_t row = 0; row < panels_ * Tile::kLanes; ++row) start(row);
    for (std::int64_t panel = 0; panel < panels_; ++panel) log_.counts[panel] = 0;
    Tile::begin();
    if (block_.packed.bias != nullptr) {
      scan_bank<true>();
    } else {
      scan_bank<false>();
    }
    Tile::end();
    label();
  }

 private:
  void start(std::int64_t row) {
    candidates_.counts[row] = 0;
    candidates_.overflow[row] = 0;
    candidates_.bound[row] = -kLargest;
    if (row >= block_.rows.rows) return give_up(candidates_, row);
    const PackedBounds bounds = {scaled_norm(block_.scaling, block_.squared_norms[row]),
                                 block_.residuals[row], 0.0};
    const float error =
        certificate::scan_error(bounds, block_.packed.bounds, block_.rows.cols, 0.0);
    candidates_.margin[row] = 2.0f * error;
    if (!(error < kUselessError)) give_up(candidates_, row);
  }

  template <bool kBias>
  void scan_bank() {
    const auto full = [this](std::int64_t panel) { drain<Tile>(log_, candidates_, panel); };
    const ScanSpan span = {block_.packed.panels,
                           block_.panels,
                           block_.rows.cols,
                           block_.packed.rows,
                           0,
                           block_count(block_.packed.rows, Tile::kRows),
                           panels_,
                           block_.packed.bias,
                           block_.stop};
    const Thresholds thresholds = {candidates_.keep, candidates_.bound, candidates_.margin};
    scan<Tile, kBias, Threshold::kBest>(span, log_, thresholds, full);
    for (std::int64_t panel = 0; panel < panels_; ++panel) full(panel);
  }

  void label() {
    const Sides sides = {block_.rows, block_.bank, block_.norms, block_.bank_norms};
    const auto consider = [&](std::int64_t row, std::int64_t label, std::int64_t, double dot) {
      const double value = block_.cosine ? static_cast<double>(sides.cosine(row, label, dot))
                                         : dot - 0.5 * block_.bank_squared[label];
      std::int64_t& best = block_.labels[row];
      if (value > values_[row] || (value == values_[row] && label < best)) {
        values_[row] = value;
        best = label;
      }
    };
    PairGroup<decltype(consider)> group(sides, consider);
    for (std::int64_t row = 0; row < block_.rows.rows; ++row) {
      block_.overflow[row] = candidates_.overflow[row];
      if (candidates_.overflow[row]) continue;
      compact(candidates_, row);
      const std::int32_t* rows = candidates_.list_rows(row);
      block_.labels[row] = rows[0];
      if (candidates_.counts[row] == 1) continue;
      values_[row] = -__builtin_inf();
      for (int i = 0; i < candidates_.counts[row]; ++i) group.add(row, rows[i], 0);
    }
    group.flush();
  }

  const AssignBlock& block_;
  const std::int64_t panels_;
  Workspace space_;
  Candidates candidates_;
  HitLog log_;
  double* values_;
};

template <typename Tile>
void assign_block(const AssignBlock& block) {
  Assignment<Tile>(block, block.rows.rows).run();
}

template <typename Tile>
std::int64_t assign_workspace_bytes(std::int64_t rows) {
  const AssignBlock nothing = {};
  return Assignment<Tile>(nothing, rows).workspace_bytes();
}

}  // namespace
}  // namespace mmi
