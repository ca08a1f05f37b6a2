// Top-k of a block of queries against a packed bank: pack, prime, scan, tighten, rescore, list.
//
// Prime. The scores of the first bank rows are stored, a first threshold is read off them, and what
// reaches it becomes the first candidates. For small banks this is the whole search. Scan. The rest
// of the bank follows in spans that double what was seen, with tightened thresholds after each.
#pragma once

#include "cpu/isa/pack.h"
#include "cpu/isa/rescore.h"
#include "cpu/isa/stopwatch.h"
#include "cpu/isa/workspace.h"

namespace mmi {
namespace {

inline constexpr std::int64_t kPrimeRows = 512;
inline constexpr std::int64_t kSpareCandidates = 512;
inline constexpr std::int64_t kBankInCache = 1 << 20;  // bytes of float32 rows

template <typename Tile>
class TopkSearch {
 public:
  TopkSearch(const TopkBlock& block, std::int64_t queries, std::int64_t bank_rows, std::int64_t d,
             std::int64_t k)
      : block_(block),
        d_(d),
        panels_(block_count(queries, Tile::kLanes)),
        prime_rows_(smaller(bank_rows, larger_of(kPrimeRows, 4 * k))),
        prime_panels_(block_count(prime_rows_, Tile::kRows)),
        space_(block.workspace) {
    const std::int64_t lanes = panels_ * Tile::kLanes;
    candidates_.k = k;
    candidates_.capacity = static_cast<int>(4 * k + kSpareCandidates);
    packed_ = space_.take<std::byte>(panels_ * Tile::query_panel_bytes(d));
    scratch_ = space_.take<std::byte>(pack_scratch_bytes<Tile>(d));
    residuals_ = space_.take<double>(Tile::kLanes);
    query_norms_ = space_.take<double>(queries);
    candidates_.take(space_, lanes);
    log_.template take<Tile>(space_, panels_);
    prime_scores_ = space_.take<float>(prime_panels_ * Tile::kScores);
    maxima_ = space_.take<float>(prime_rows_ * kWidth);
    keys_ = space_.take<std::uint64_t>(candidates_.capacity);
    const std::int64_t batch = smaller(kRowBatch, queries) * candidates_.capacity;
    order_.bins = space_.take<std::int32_t>(RowOrder::kMostBins + 2);
    order_.entries = space_.take<RowOrder::Entry>(batch);
  }

  std::int64_t workspace_bytes() const { return space_.used(); }

  BlockStats run() {
    Stopwatch watch;
    Tile::begin();
    pack();
    watch.lap(stats_.seconds[0]);
    if (candidates_.k == 1) {
      scan_for_best();
    } else {
      prime_all();
      watch.lap(stats_.seconds[1]);
      scan_rest();
    }
    Tile::end();
    watch.lap(stats_.seconds[2]);
    finish();
    watch.lap(stats_.seconds[3]);
    return stats_;
  }

 private:
  static constexpr std::int64_t kRowBatch = 512;  // queries that stay in L2 while rows pass by

  static std::int64_t smaller(std::int64_t a, std::int64_t b) { return a < b ? a : b; }
  static std::int64_t larger_of(std::int64_t a, std::int64_t b) { return a > b ? a : b; }
  std::int64_t count() const { return block_.queries.rows; }

  void pack() {
    for (std::int64_t panel = 0; panel < panels_; ++panel) {
      const std::int64_t begin = panel * Tile::kLanes;
      const std::int64_t end = smaller(count(), begin + Tile::kLanes);
      squared_norms_of(block_.queries.slice(begin, end), block_.query_squared + begin);
      pack_panel<Tile, Side::kQueries>({block_.queries.slice(begin, end),
                                        block_.query_squared + begin,
                                        {true, 0},
                                        packed_ + panel * Tile::query_panel_bytes(d_),
                                        residuals_},
                                       scratch_);
      for (std::int64_t query = begin; query < begin + Tile::kLanes; ++query) {
        start(query, query < end ? residuals_[query - begin] : 0.0);
      }
      log_.counts[panel] = 0;
    }
  }

  // What a scan score of 1 is worth as an inner product.
  double unit_of(double squared) const {
    return __builtin_sqrt(squared) * __builtin_ldexp(1.0, -block_.bank_exponent);
  }

  // The last rounding is absolute for scores in the subnormal range of float32, and a score beyond
  // its range is an infinity that others may equal: no finite bound holds for those.
  double listed_error(double squared) const {
    if (block_.normalize) return 0.0;
    const double unit = unit_of(squared);
    return unit >= 0x1p127 ? __builtin_inf() : 0x1p-150 / unit;
  }

  void start(std::int64_t query, double residual) {
    candidates_.counts[query] = 0;
    candidates_.overflow[query] = 0;
    candidates_.bound[query] = -kLargest;
    candidates_.margin[query] = 0.0f;
    candidates_.keep[query] = -kLargest;
    const double squared = query < count() ? block_.query_squared[query] : 0.0;
    if (squared == 0.0) return give_up(candidates_, query);  // padding, or a zero vector
    if (!block_.rescore) return;                             // scan scores are ranked as they are
    const PackedBounds bounds = {1.0 + 0x1p-40, residual, 0.0};
    const float error =
        certificate::scan_error(bounds, block_.packed.bounds, d_, listed_error(squared));
    candidates_.margin[query] = 2.0f * error;
    if (!(error < kUselessError)) give_up(candidates_, query);
  }

  ScanSpan span(std::int64_t first_panel, std::int64_t end_panel) const {
    return {block_.packed.panels, packed_,   d_,      block_.packed.rows,
            first_panel,          end_panel, panels_, nullptr,
            block_.stop};
  }

  Thresholds thresholds() const {
    return {candidates_.keep, candidates_.bound, candidates_.margin};
  }

  void prime_all() {
    const int group = prime_rows_ >= 8 * candidates_.k   ? 4
                      : prime_rows_ >= 4 * candidates_.k ? 2
                                                         : 1;
    for (std::int64_t panel = 0; panel < panels_; ++panel) {
      block_.stop->leave_if_set();
      const std::byte* queries = packed_ + panel * Tile::query_panel_bytes(d_);
      for (std::int64_t p = 0; p < prime_panels_; ++p) {
        Tile::template multiply<false, Stays::kQueries>(
            block_.packed.panels + p * Tile::bank_panel_bytes(d_), queries, d_, nullptr,
            prime_scores_ + p * Tile::kScores, [] {});
      }
      prime<Tile>(prime_scores_, prime_rows_, group, maxima_, candidates_, panel);
      const auto full = [this](std::int64_t q) { drain<Tile>(log_, candidates_, q); };
      const Thresholds limits = thresholds();
      PendingBlock<Tile, Threshold::kGiven, decltype(full)> pending(log_, limits, full);
      for (std::int64_t p = 0; p < prime_panels_; ++p) {
        float* scores = prime_scores_ + p * Tile::kScores;
        bury_padding<Tile>(scores, block_.packed.rows - p * Tile::kRows);
        pending.start(scores, p, panel);
        pending.finish();
      }
      tighten_panel<Tile>(log_, candidates_, panel);
    }
  }

  void scan_rest() {
    const std::int64_t end = block_count(block_.packed.rows, Tile::kRows);
    const auto full = [this](std::int64_t q) { drain<Tile>(log_, candidates_, q); };
    for (std::int64_t from = prime_panels_; from < end;) {
      const std::int64_t to = smaller(end, 2 * from);
      scan<Tile, false, Threshold::kGiven>(span(from, to), log_, thresholds(), full);
      for (std::int64_t panel = 0; panel < panels_; ++panel) {
        tighten_panel<Tile>(log_, candidates_, panel);
      }
      from = to;
    }
  }

  void scan_for_best() {
    const auto full = [this](std::int64_t q) { drain<Tile>(log_, candidates_, q); };
    scan<Tile, false, Threshold::kBest>(span(0, block_count(block_.packed.rows, Tile::kRows)), log_,
                                        thresholds(), full);
    for (std::int64_t panel = 0; panel < panels_; ++panel) drain<Tile>(log_, candidates_, panel);
    for (std::int64_t query = 0; query < count(); ++query) compact(candidates_, query);
  }

  void finish() {
    for (std::int64_t query = 0; query < count(); ++query) {
      stats_.survivors += candidates_.counts[query];
      block_.overflow[query] = candidates_.overflow[query];
    }
    if (block_.rescore) {
      stats_.rescored = stats_.survivors;
      rescore();
    }
    for (std::int64_t query = 0; query < count(); ++query) {
      if (candidates_.overflow[query]) continue;
      block_.stop->leave_if_set();  // a long list takes a while to be ordered
      const std::int64_t at = query * candidates_.k;
      write_best(candidates_, query, keys_, block_.sort, block_.scores + at, block_.indices + at);
      if (!block_.rescore && !block_.normalize) unscale(query, block_.scores + at);
    }
  }

  // Scan scores are about a query of unit length and a scaled bank; the caller wants inner
  // products.
  void unscale(std::int64_t query, float* scores) const {
    const double unit = unit_of(block_.query_squared[query]);
    for (std::int64_t i = 0; i < candidates_.k; ++i) {
      scores[i] = stored_float(static_cast<double>(scores[i]) * unit);
    }
  }

  void rescore() {
    for (std::int64_t query = 0; query < count(); ++query) {
      query_norms_[query] = __builtin_sqrt(block_.query_squared[query]);
    }
    const Sides sides = {block_.queries, block_.bank, query_norms_, block_.bank_norms};
    if (block_.normalize) {
      rescore_all(sides, [&](std::int64_t query, std::int64_t row, std::int64_t slot, double dot) {
        candidates_.list_scores(query)[slot] = sides.cosine(query, row, dot);
      });
    } else {
      rescore_all(sides, [&](std::int64_t query, std::int64_t, std::int64_t slot, double dot) {
        candidates_.list_scores(query)[slot] = stored_float(dot);
      });
    }
  }

  template <typename Take>
  void rescore_all(const Sides& sides, Take take) {
    PairGroup<Take> group(sides, take);
    if (block_.bank.rows * d_ * static_cast<std::int64_t>(sizeof(float)) <= kBankInCache) {
      for (std::int64_t query = 0; query < count(); ++query) {
        block_.stop->leave_if_set();
        rescore_by_query(group, candidates_, query);
      }
      return;
    }
    for (std::int64_t begin = 0; begin < count(); begin += kRowBatch) {
      block_.stop->leave_if_set();
      rescore_by_row(group, block_.bank.rows, candidates_, begin,
                     smaller(count(), begin + kRowBatch), order_, *block_.stop);
    }
  }

  const TopkBlock& block_;
  const std::int64_t d_;
  const std::int64_t panels_;
  const std::int64_t prime_rows_;
  const std::int64_t prime_panels_;
  Workspace space_;
  Candidates candidates_;
  HitLog log_;
  std::byte* packed_;
  std::byte* scratch_;
  double* residuals_;
  double* query_norms_;
  float* prime_scores_;
  float* maxima_;
  std::uint64_t* keys_;
  RowOrder order_;
  BlockStats stats_;
};

template <typename Tile>
BlockStats topk_block(const TopkBlock& block) {
  return TopkSearch<Tile>(block, block.queries.rows, block.packed.rows, block.queries.cols, block.k)
      .run();
}

template <typename Tile>
std::int64_t topk_workspace_bytes(std::int64_t queries, std::int64_t bank_rows, std::int64_t d,
                                  std::int64_t k) {
  const TopkBlock nothing = {};
  return TopkSearch<Tile>(nothing, queries, bank_rows, d, k).workspace_bytes();
}

}  // namespace
}  // namespace mmi
