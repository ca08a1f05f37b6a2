// From candidates to the exact list: float64 dots, stored scores, and the order of core/ordering.h.
//
// A row of d = 768 is 3 KiB, so this is a matter of memory traffic. A bank that fits L2 is walked
// query by query; a larger one in the order of its rows, so that queries that share a candidate
// share its way from L3 or memory.
#pragma once

#include "core/ordering.h"
#include "cpu/isa/candidates.h"
#include "cpu/isa/exact.h"

namespace mmi {
namespace {

// Two sides of rows and what makes a listed score of their dots.
struct Sides {
  MatrixView queries;
  MatrixView bank;
  const double* query_norms;
  const double* bank_norms;

  [[gnu::always_inline]] float cosine(std::int64_t query, std::int64_t row, double dot) const {
    return cosine_score(dot, query_norms[query], bank_norms[row]);
  }
};

// Pairs (query, bank row) on their way through exact_dots, kPairs at a time. take(query, row, tag,
// dot) receives each result.
template <typename Take>
class PairGroup {
 public:
  PairGroup(const Sides& sides, Take take) : sides_(sides), take_(take) {}

  [[gnu::always_inline]] void add(std::int64_t query, std::int64_t row, std::int64_t tag) {
    query_[count_] = query;
    row_[count_] = row;
    tag_[count_++] = tag;
    if (count_ == kPairs) flush();
  }

  void flush() {
    if (count_ == 0) return;
    const std::int64_t d = sides_.bank.cols;
    const bool half = count_ <= kPairs / 2;
    const float* x[kPairs];
    const float* y[kPairs];
    bool same_query = true;
    bool same_row = true;
    for (int p = 0; p < kPairs; ++p) {
      const int at = p < count_ ? p : 0;
      same_query = same_query && query_[at] == query_[0];
      same_row = same_row && row_[at] == row_[0];
      x[p] = sides_.queries.row(query_[at]);
      y[p] = sides_.bank.row(row_[at]);
    }
    double dots[kPairs];
    if (same_row) {
      half ? exact_dots<kPairs / 2>(y[0], x, d, dots) : exact_dots<kPairs>(y[0], x, d, dots);
    } else if (same_query) {
      half ? exact_dots<kPairs / 2>(x[0], y, d, dots) : exact_dots<kPairs>(x[0], y, d, dots);
    } else {
      half ? exact_dots<kPairs / 2>(x, y, d, dots) : exact_dots<kPairs>(x, y, d, dots);
    }
    for (int p = 0; p < count_; ++p) take_(query_[p], row_[p], tag_[p], dots[p]);
    count_ = 0;
  }

 private:
  const Sides& sides_;
  Take take_;
  std::int64_t query_[kPairs];
  std::int64_t row_[kPairs];
  std::int64_t tag_[kPairs];
  int count_ = 0;
};

template <typename Take>
void rescore_by_query(PairGroup<Take>& group, const Candidates& c, std::int64_t query) {
  const std::int32_t* rows = c.list_rows(query);
  for (int i = 0; i < c.counts[query]; ++i) group.add(query, rows[i], i);
  group.flush();
}

// What `rescore_by_row` needs: the candidates, sorted by bins of 2^shift bank rows.
struct RowOrder {
  struct Entry {
    std::int32_t row;
    std::int32_t query;
    std::int32_t slot;  // position in the query's list
  };
  std::int32_t* bins;  // kMostBins + 2
  Entry* entries;
  static constexpr std::int64_t kMostBins = 1 << 14;
};

inline constexpr std::int32_t kEntriesPerLook = 4096;  // fewer than a millisecond at d = 768

// Bank row by bank row over the queries begin..end.
template <typename Take>
void rescore_by_row(PairGroup<Take>& group, std::int64_t bank_rows, const Candidates& c,
                    std::int64_t begin, std::int64_t end, const RowOrder& order,
                    const StopFlag& stop) {
  int shift = 0;
  while ((bank_rows >> shift) >= RowOrder::kMostBins) ++shift;
  const std::int64_t bins = (bank_rows >> shift) + 1;
  for (std::int64_t bin = 0; bin <= bins; ++bin) order.bins[bin] = 0;
  for (std::int64_t query = begin; query < end; ++query) {
    const std::int32_t* rows = c.list_rows(query);
    for (int i = 0; i < c.counts[query]; ++i) ++order.bins[(rows[i] >> shift) + 1];
  }
  for (std::int64_t bin = 0; bin < bins; ++bin) order.bins[bin + 1] += order.bins[bin];
  const std::int32_t entries = order.bins[bins];
  for (std::int64_t query = begin; query < end; ++query) {
    const std::int32_t* rows = c.list_rows(query);
    for (int i = 0; i < c.counts[query]; ++i) {
      const std::int32_t at = order.bins[rows[i] >> shift]++;
      order.entries[at] = {rows[i], static_cast<std::int32_t>(query), i};
    }
  }
  for (std::int32_t at = 0; at < entries; ++at) {
    if (at % kEntriesPerLook == 0) stop.leave_if_set();
    const RowOrder::Entry& entry = order.entries[at];
    group.add(entry.query, entry.row, entry.slot);
  }
  group.flush();
}

// Ascending keys are the order of core/ordering.h: score descending, then index ascending.
[[gnu::always_inline]] inline std::uint64_t rank_key(float score, std::int32_t row) {
  std::uint32_t bits;
  __builtin_memcpy(&bits, &score, sizeof bits);
  const std::uint32_t ascending = bits & 0x80000000u ? ~bits : bits | 0x80000000u;
  return static_cast<std::uint64_t>(~ascending) << 32 | static_cast<std::uint32_t>(row);
}

[[gnu::always_inline]] inline float key_score(std::uint64_t key) {
  const std::uint32_t ascending = ~static_cast<std::uint32_t>(key >> 32);
  const std::uint32_t bits = ascending & 0x80000000u ? ascending & 0x7fffffffu : ~ascending;
  float score;
  __builtin_memcpy(&score, &bits, sizeof score);
  return score;
}

// Short lists are ranked by counting: a rank is the number of smaller keys; keys differ, so ranks
// do. The work grows with the square of the list, but has no branch to mispredict.
inline constexpr int kMostCounted = 512;

// The best k of a list in order. `sort` orders keys, for long lists.
inline void write_best(const Candidates& c, std::int64_t query, std::uint64_t* keys,
                       void (*sort)(std::uint64_t* keys, std::int64_t count), float* scores,
                       std::int64_t* indices) {
  const int count = c.counts[query];
  for (int i = 0; i < count; ++i) {
    keys[i] = rank_key(c.list_scores(query)[i], c.list_rows(query)[i]);
  }
  if (count > kMostCounted) sort(keys, count);
  for (int i = 0; i < count; ++i) {
    const std::uint64_t key = keys[i];
    std::int64_t rank = i;
    if (count <= kMostCounted) {
      rank = 0;
      for (int j = 0; j < count; ++j) rank += keys[j] < key;
    }
    if (rank >= c.k) continue;
    scores[rank] = key_score(key);
    indices[rank] = static_cast<std::uint32_t>(key);
  }
}

}  // namespace
}  // namespace mmi
