// The scan: every bank panel against every query panel, and a log of the scores that reach a bound.
//
// Order. Bank panels outside, query panels inside: a bank panel stays in L1 while the query panels,
// which together fill most of L2, pass by it; the bank itself streams from L3 or memory once per
// block of queries.
//
// The work on one block of scores (compare with the thresholds of its queries, log what reaches
// them) is done while the next block is being multiplied. Two rules set the thresholds: they are
// given and lowered by nobody (kGiven), or they follow the best score seen so far (kBest: top-1).
#pragma once

#include "cpu/blocks.h"
#include "cpu/isa/kernels.h"
#include "cpu/isa/simd.h"
#include "cpu/isa/workspace.h"

namespace mmi {
namespace {

enum class Threshold { kGiven, kBest };

// Per query panel; a tag is bank row << kLaneBits | lane.
struct HitLog {
  static constexpr int kLaneBits = 6;
  static constexpr std::int32_t kLaneMask = (1 << kLaneBits) - 1;
  static_assert(kMostBankRows < std::int64_t{1} << (31 - kLaneBits), "a tag holds any row");

  float* scores;
  std::int32_t* tags;
  int* counts;
  int capacity;  // per panel

  // Room for two whole blocks per panel, and a vector of slack: appends store whole vectors.
  template <typename Tile>
  void take(Workspace& space, std::int64_t panels) {
    capacity = 2 * Tile::kScores;
    scores = space.take<float>(panels * capacity + kWidth);
    tags = space.take<std::int32_t>(panels * capacity + kWidth);
    counts = space.take<int>(panels);
  }

  float* panel_scores(std::int64_t panel) const { return scores + panel * capacity; }
  std::int32_t* panel_tags(std::int64_t panel) const { return tags + panel * capacity; }
};

// Per query, whole panels.
struct Thresholds {
  float* keep;          // a score below it is of no interest
  float* best;          // kBest: the best score so far
  const float* margin;  // kBest: keep = best - margin
};

struct ScanSpan {
  const std::byte* bank;     // panels
  const std::byte* queries;  // panels
  std::int64_t d;
  std::int64_t bank_rows;  // of the whole bank: rows beyond it pad the last panel
  std::int64_t first_panel;
  std::int64_t end_panel;
  std::int64_t query_panels;
  const float* bias;
  const StopFlag* stop;
};

// Rows that only pad the last panel must not be found.
template <typename Tile>
void bury_padding(float* scores, std::int64_t valid_rows) {
  if (valid_rows >= Tile::kRows) return;
  for (int j = 0; j < Tile::kRows * Tile::kVectors; ++j) {
    if (Tile::row_of(j) >= valid_rows) {
      store(scores + j * kWidth, splat(-kLargest));
    }
  }
}

// What remains to be done about one block of scores, in parts.
template <typename Tile, Threshold rule, typename Full>
class PendingBlock {
 public:
  PendingBlock(const HitLog& log, const Thresholds& thresholds, Full& full)
      : log_(log), thresholds_(thresholds), full_(full) {}

  void start(const float* scores, std::int64_t bank_panel, std::int64_t query_panel) {
    scores_ = scores;
    first_row_ = static_cast<std::int32_t>(bank_panel * Tile::kRows);
    panel_ = query_panel;
    part_ = rule == Threshold::kBest ? -Tile::kParts : 0;
  }

  [[gnu::always_inline]] void advance() {
    if (part_ > Tile::kParts) return;
    if (part_ < 0) {
      raise(part_ + Tile::kParts);
    } else if (part_ < Tile::kParts) {
      compare(part_);
    } else {
      append();
    }
    ++part_;
  }

  void finish() {
    while (part_ <= Tile::kParts) advance();
  }

 private:
  static constexpr int kVectorsOfBlock = Tile::kRows * Tile::kVectors;
  static constexpr int kPartVectors = kVectorsOfBlock / Tile::kParts;

  [[gnu::always_inline]] void raise(int part) {
    float* best = thresholds_.best + panel_ * Tile::kLanes;
    for (int j = part * kPartVectors; j < (part + 1) * kPartVectors; ++j) {
      float* slot = best + Tile::vector_of(j) * kWidth;
      store(slot, larger(load<Floats>(slot), load<Floats>(scores_ + j * kWidth)));
    }
    if (part + 1 < Tile::kParts) return;
    for (int v = 0; v < Tile::kVectors; ++v) {
      const std::int64_t at = panel_ * Tile::kLanes + v * kWidth;
      store(thresholds_.keep + at,
            load<Floats>(thresholds_.best + at) - load<Floats>(thresholds_.margin + at));
    }
  }

  [[gnu::always_inline]] void compare(int part) {
    const float* keep = thresholds_.keep + panel_ * Tile::kLanes;
    for (int j = part * kPartVectors; j < (part + 1) * kPartVectors; ++j) {
      masks_[j] = static_cast<std::uint16_t>(at_least(
          load<Floats>(scores_ + j * kWidth), load<Floats>(keep + Tile::vector_of(j) * kWidth)));
    }
  }

  [[gnu::always_inline]] void append() {
    std::uint64_t map = not_empty(masks_, kVectorsOfBlock);
    if (map == 0) return;
    if (log_.counts[panel_] + Tile::kScores > log_.capacity) full_(panel_);
    int count = log_.counts[panel_];
    float* scores = log_.panel_scores(panel_);
    std::int32_t* tags = log_.panel_tags(panel_);
    for (; map != 0; map &= map - 1) {
      const int j = __builtin_ctzll(map);
      const std::int32_t tag =
          (first_row_ + Tile::row_of(j)) << HitLog::kLaneBits | Tile::vector_of(j) * kWidth;
      count += append_lanes(masks_[j], load<Floats>(scores_ + j * kWidth), kLaneNumbers + tag,
                            scores + count, tags + count);
    }
    log_.counts[panel_] = count;
  }

  static constexpr Ints lane_numbers() {
    Ints numbers = {};
    for (int l = 0; l < kWidth; ++l) numbers[l] = l;
    return numbers;
  }

  const HitLog& log_;
  const Thresholds& thresholds_;
  Full& full_;
  const Ints kLaneNumbers = lane_numbers();
  const float* scores_ = nullptr;
  std::int32_t first_row_ = 0;
  std::int64_t panel_ = 0;
  int part_ = Tile::kParts + 1;
  alignas(64) std::uint16_t masks_[kVectorsOfBlock];
};

// full(query_panel) makes room for a whole block in that panel's log.
template <typename Tile, bool kBias, Threshold rule, typename Full>
void scan(const ScanSpan& span, const HitLog& log, const Thresholds& thresholds, Full&& full) {
  alignas(64) float scores[2][Tile::kScores];
  PendingBlock<Tile, rule, Full> pending(log, thresholds, full);
  const std::int64_t bank_bytes = Tile::bank_panel_bytes(span.d);
  const std::int64_t query_bytes = Tile::query_panel_bytes(span.d);
  int current = 0;
  for (std::int64_t p = span.first_panel; p < span.end_panel; ++p) {
    span.stop->leave_if_set();
    const float* bias = kBias ? span.bias + p * Tile::kRows * Tile::kBiasWidth : nullptr;
    for (std::int64_t q = 0; q < span.query_panels; ++q) {
      Tile::template multiply<kBias, Stays::kBank>(
          span.bank + p * bank_bytes, span.queries + q * query_bytes, span.d, bias, scores[current],
          [&]() __attribute__((always_inline)) { pending.advance(); });
      pending.finish();
      bury_padding<Tile>(scores[current], span.bank_rows - p * Tile::kRows);
      pending.start(scores[current], p, q);
      current ^= 1;
    }
  }
  pending.finish();
}

}  // namespace
}  // namespace mmi
