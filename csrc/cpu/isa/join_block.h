// All pairs above a threshold: the scan with a fixed threshold, and exact scores for what it finds.
#pragma once

#include "cpu/isa/pack.h"
#include "cpu/isa/rescore.h"
#include "cpu/isa/workspace.h"

namespace mmi {
namespace {

template <typename Tile>
class Join {
 public:
  Join(const JoinBlock& block, std::int64_t queries, std::int64_t d)
      : block_(block), panels_(block_count(queries, Tile::kLanes)), space_(block.workspace) {
    packed_ = space_.take<std::byte>(panels_ * Tile::query_panel_bytes(d));
    scratch_ = space_.take<std::byte>(pack_scratch_bytes<Tile>(d));
    residuals_ = space_.take<double>(Tile::kLanes);
    keep_ = space_.take<float>(panels_ * Tile::kLanes);
    log_.template take<Tile>(space_, panels_);
  }

  std::int64_t workspace_bytes() const { return space_.used(); }

  void run() {
    Tile::begin();
    pack();
    const auto full = [this](std::int64_t panel) { rescore(panel); };
    const ScanSpan span = {block_.packed.panels,
                           packed_,
                           block_.queries.cols,
                           block_.packed.rows,
                           0,
                           block_count(block_.packed.rows, Tile::kRows),
                           panels_,
                           nullptr,
                           block_.stop};
    scan<Tile, false, Threshold::kGiven>(span, log_, {keep_, nullptr, nullptr}, full);
    for (std::int64_t panel = 0; panel < panels_; ++panel) full(panel);
    Tile::end();
  }

 private:
  void pack() {
    const std::int64_t d = block_.queries.cols;
    const std::int64_t count = block_.queries.rows;
    for (std::int64_t panel = 0; panel < panels_; ++panel) {
      const std::int64_t begin = panel * Tile::kLanes;
      const std::int64_t end = begin + Tile::kLanes < count ? begin + Tile::kLanes : count;
      pack_panel<Tile, Side::kQueries>({block_.queries.slice(begin, end),
                                        block_.query_squared + begin,
                                        {true, 0},
                                        packed_ + panel * Tile::query_panel_bytes(d),
                                        residuals_},
                                       scratch_);
      for (std::int64_t query = begin; query < begin + Tile::kLanes; ++query) {
        keep_[query] =
            query < end ? threshold_of(query, residuals_[query - begin]) : __builtin_inff();
      }
      log_.counts[panel] = 0;
    }
  }

  // Listed scores differ from scan scores by at most E.
  float threshold_of(std::int64_t query, double residual) const {
    const PackedBounds bounds = {scaled_norm({true, 0}, block_.query_squared[query]), residual,
                                 0.0};
    return block_.threshold -
           certificate::scan_error(bounds, block_.packed.bounds, block_.queries.cols, 0.0);
  }

  void rescore(std::int64_t panel) {
    const Sides sides = {block_.queries, block_.bank, block_.query_norms, block_.bank_norms};
    const auto take = [&](std::int64_t query, std::int64_t row, std::int64_t, double dot) {
      const float score = sides.cosine(query, row, dot);
      if (score >= block_.threshold) block_.emit(block_.found, query, row, score);
    };
    PairGroup<decltype(take)> group(sides, take);
    const std::int32_t* tags = log_.panel_tags(panel);
    for (int i = 0; i < log_.counts[panel]; ++i) {
      const std::int64_t query = panel * Tile::kLanes + (tags[i] & HitLog::kLaneMask);
      const std::int64_t row = tags[i] >> HitLog::kLaneBits;
      if (row >= block_.packed.rows) continue;  // padding, where the bound filters nothing
      if (block_.self_join && row <= block_.query_offset + query) continue;
      group.add(query, row, 0);
    }
    group.flush();
    log_.counts[panel] = 0;
  }

  const JoinBlock& block_;
  const std::int64_t panels_;
  Workspace space_;
  HitLog log_;
  std::byte* packed_;
  std::byte* scratch_;
  double* residuals_;
  float* keep_;
};

template <typename Tile>
void join_block(const JoinBlock& block) {
  Join<Tile>(block, block.queries.rows, block.queries.cols).run();
}

template <typename Tile>
std::int64_t join_workspace_bytes(std::int64_t queries, std::int64_t d) {
  const JoinBlock nothing = {};
  return Join<Tile>(nothing, queries, d).workspace_bytes();
}

}  // namespace
}  // namespace mmi
