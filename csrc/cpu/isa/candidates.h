// The candidates of every query of a block, and the threshold that decides what is one.
//
// State machine of a query: `bound` is a lower bound of its k-th largest scan score so far, so
// keep = bound - 2 E (core/certificate.h), and the list holds every row with a score >= keep. When
// many rows were added, `tighten` raises the bound and drops what fell below. A list that is full
// of scores within 2 E of each other cannot shrink: such a query overflows, and is scored exactly
// against every row by the caller. No cap can therefore change a result.
#pragma once

#include "cpu/isa/scan.h"

namespace mmi {
namespace {

// Scaled rows score about 1 at most, so a bound beyond this filters nothing.
inline constexpr float kUselessError = 1e6f;

struct Candidates {
  std::int64_t k;
  int capacity;        // per query
  float* scores;       // (query, capacity)
  std::int32_t* rows;  // (query, capacity)
  int* counts;
  float* bound;
  float* keep;
  float* margin;  // 2 E
  std::uint8_t* overflow;

  void take(Workspace& space, std::int64_t queries) {
    bound = space.take<float>(queries);
    margin = space.take<float>(queries);
    keep = space.take<float>(queries);
    overflow = space.take<std::uint8_t>(queries);
    counts = space.take<int>(queries);
    scores = space.take<float>(queries * capacity + kWidth);
    rows = space.take<std::int32_t>(queries * capacity + kWidth);
  }

  float* list_scores(std::int64_t query) const { return scores + query * capacity; }
  std::int32_t* list_rows(std::int64_t query) const { return rows + query * capacity; }
};

inline void set_bound(const Candidates& c, std::int64_t query, float bound) {
  c.bound[query] = bound;
  c.keep[query] = bound - c.margin[query];
}

inline void give_up(const Candidates& c, std::int64_t query) {
  c.overflow[query] = 1;
  c.counts[query] = 0;
  c.keep[query] = __builtin_inff();
  c.margin[query] = -__builtin_inff();
}

// Drop what is below the threshold.
inline void compact(const Candidates& c, std::int64_t query) {
  float* scores = c.list_scores(query);
  std::int32_t* rows = c.list_rows(query);
  const int count = c.counts[query];
  const float keep = c.keep[query];
  int kept = 0;
  int i = 0;
  // What is appended overlaps only what has been read: kept <= i.
  for (; i + kWidth <= count; i += kWidth) {
    const Floats values = load<Floats>(scores + i);
    const Ints ids = load<Ints>(rows + i);
    kept += append_lanes(at_least(values, splat(keep)), values, ids, scores + kept, rows + kept);
  }
  for (; i < count; ++i) {
    scores[kept] = scores[i];
    rows[kept] = rows[i];
    kept += scores[i] >= keep;
  }
  c.counts[query] = kept;
}

// Raise the bound by bisection until it is within a small part of E of the k-th largest score. The
// margin is 2 E, so a finer bound would hardly drop more.
inline void tighten(const Candidates& c, std::int64_t query) {
  const float* scores = c.list_scores(query);
  const int count = c.counts[query];
  if (count <= c.k) return;
  float low = c.bound[query];
  float high = largest(scores, count, low);
  const float close = 0.125f * c.margin[query];
  for (int step = 0; step < 24 && high - low > close; ++step) {
    const float middle = low + 0.5f * (high - low);
    const int reaching = count_at_least(scores, count, middle);
    if (reaching >= c.k) {
      low = middle;
      if (reaching == c.k) break;
    } else {
      high = middle;
    }
  }
  set_bound(c, query, low);
  compact(c, query);
}

// Move a panel's log into the lists of its queries.
template <typename Tile>
void drain(const HitLog& log, const Candidates& c, std::int64_t panel) {
  const float* scores = log.panel_scores(panel);
  const std::int32_t* tags = log.panel_tags(panel);
  const int count = log.counts[panel];
  for (int i = 0; i < count; ++i) {
    const std::int64_t query = panel * Tile::kLanes + (tags[i] & HitLog::kLaneMask);
    if (c.counts[query] == c.capacity) tighten(c, query);
    if (c.counts[query] == c.capacity) give_up(c, query);
    if (scores[i] < c.keep[query]) continue;
    const int at = c.counts[query]++;
    c.list_scores(query)[at] = scores[i];
    c.list_rows(query)[at] = tags[i] >> HitLog::kLaneBits;
  }
  log.counts[panel] = 0;
}

template <typename Tile>
void tighten_panel(const HitLog& log, const Candidates& c, std::int64_t panel) {
  drain<Tile>(log, c, panel);
  for (std::int64_t query = panel * Tile::kLanes; query < (panel + 1) * Tile::kLanes; ++query) {
    tighten(c, query);
  }
}

// A first bound out of the stored scores of the first bank rows with one query panel: about the
// k-th largest of the maxima of groups of `group` rows, which k rows reach. kWidth queries at a
// time.
template <typename Tile>
void prime(const float* scores, std::int64_t bank_rows, int group, float* maxima,
           const Candidates& c, std::int64_t panel) {
  constexpr int kVectorsOfBlock = Tile::kRows * Tile::kVectors;
  const std::int64_t blocks = block_count(bank_rows, Tile::kRows);
  constexpr int kSteps = 8;
  for (int v = 0; v < Tile::kVectors; ++v) {
    std::int64_t groups = 0;
    int in_group = 0;
    Floats most = splat(-kLargest);
    Floats high = most;
    Floats low = splat(kLargest);
    for (std::int64_t block = 0; block < blocks; ++block) {
      for (int j = 0; j < kVectorsOfBlock; ++j) {
        if (Tile::vector_of(j) != v || block * Tile::kRows + Tile::row_of(j) >= bank_rows) continue;
        most = larger(most, load<Floats>(scores + (block * kVectorsOfBlock + j) * kWidth));
        if (++in_group < group) continue;
        store(maxima + groups++ * kWidth, most);
        high = larger(high, most);
        low = most < low ? most : low;
        most = splat(-kLargest);
        in_group = 0;
      }
    }
    for (int step = 0; step < kSteps; ++step) {
      const Floats middle = low + 0.5f * (high - low);
      Ints reaching = {};
      for (std::int64_t g = 0; g < groups; ++g) {
        reaching -= load<Floats>(maxima + g * kWidth) >= middle;
      }
      const Ints enough = reaching >= static_cast<std::int32_t>(c.k);
      low = enough ? middle : low;
      high = enough ? high : middle;
    }
    for (int l = 0; l < kWidth; ++l) {
      const std::int64_t query = panel * Tile::kLanes + v * kWidth + l;
      if (!c.overflow[query]) set_bound(c, query, low[l]);
    }
  }
}

}  // namespace
}  // namespace mmi
