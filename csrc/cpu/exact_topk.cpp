#include "cpu/exact_topk.h"

#include <algorithm>
#include <vector>

#include "core/ordering.h"
#include "cpu/exact_scan.h"
#include "cpu/scores.h"

namespace mmi {
namespace {

// The best k of what it was offered, as a heap with the last-ranked candidate on top.
class BestK {
 public:
  explicit BestK(std::int64_t k) : k_(static_cast<std::size_t>(k)) {}

  void clear() { heap_.clear(); }

  void offer(const Candidate& candidate) {
    if (heap_.size() < k_) {
      heap_.push_back(candidate);
      std::push_heap(heap_.begin(), heap_.end(), ranks_before);
    } else if (ranks_before(candidate, heap_.front())) {
      std::pop_heap(heap_.begin(), heap_.end(), ranks_before);
      heap_.back() = candidate;
      std::push_heap(heap_.begin(), heap_.end(), ranks_before);
    }
  }

  // In rank order. Only clear() may follow.
  const std::vector<Candidate>& sorted() {
    std::sort_heap(heap_.begin(), heap_.end(), ranks_before);
    return heap_;
  }

  const std::vector<Candidate>& unsorted() const { return heap_; }

 private:
  std::size_t k_;
  std::vector<Candidate> heap_;
};

// A grid of (row block, bank part). The bank is cut only when there are too few row blocks to keep
// a machine busy. The cut cannot change a result: the best k of all are among the best k of the
// parts.
struct Grid {
  static constexpr std::int64_t kEnoughRowBlocks = 64;
  static constexpr std::int64_t kLeastPartRows = 4096;

  Grid(std::int64_t queries, std::int64_t bank_rows)
      : row_blocks(block_count(queries, kRowBlock)),
        parts(row_blocks >= kEnoughRowBlocks
                  ? 1
                  : std::max<std::int64_t>(
                        1, std::min(bank_rows / kLeastPartRows, kEnoughRowBlocks / row_blocks))),
        part_rows(block_count(bank_rows, parts)) {}

  std::int64_t row_blocks;
  std::int64_t parts;
  std::int64_t part_rows;
};

void write_row(BestK& best, std::int64_t query, std::int64_t k, const TopkOutput& output) {
  float* scores = output.scores + query * k;
  std::int64_t* indices = output.indices + query * k;
  for (const Candidate& candidate : best.sorted()) {
    *scores++ = candidate.score;
    *indices++ = candidate.index;
  }
}

template <typename Score>
class TopkCall {
 public:
  TopkCall(const MatrixView& queries, const MatrixView& bank, std::int64_t k, const Score& score,
           const TopkOutput& output, const Execution& execution)
      : queries_(queries),
        bank_(bank),
        k_(k),
        score_(score),
        output_(output),
        execution_(execution),
        grid_(queries.rows, bank.rows),
        best_(static_cast<std::size_t>(execution.threads())) {}

  void run() {
    if (grid_.parts > 1) {
      partial_.assign(static_cast<std::size_t>(queries_.rows * grid_.parts), BestK(k_));
    }
    parallel_for(execution_, grid_.row_blocks * grid_.parts,
                 [this](std::int64_t task, int worker, const StopFlag& stop) {
                   scan(task / grid_.parts, task % grid_.parts,
                        best_[static_cast<std::size_t>(worker)], stop);
                 });
    if (grid_.parts > 1) {
      parallel_for(execution_, grid_.row_blocks,
                   [this](std::int64_t block, int, const StopFlag&) { merge_parts(block); });
    }
  }

 private:
  std::int64_t block_end(std::int64_t block) const {
    return std::min(queries_.rows, (block + 1) * kRowBlock);
  }

  void scan(std::int64_t block, std::int64_t part, std::vector<BestK>& all_best,
            const StopFlag& stop) {
    const std::int64_t first_query = block * kRowBlock;
    const std::int64_t first_row = std::min(bank_.rows, part * grid_.part_rows);
    const MatrixView bank =
        bank_.slice(first_row, std::min(bank_.rows, first_row + grid_.part_rows));
    all_best.resize(kRowBlock, BestK(k_));
    for (BestK& best : all_best) best.clear();
    scan_block(queries_.slice(first_query, block_end(block)), bank, stop,
               [&](std::int64_t i, std::int64_t j, double dot) {
                 const std::int64_t index = first_row + j;
                 all_best[i].offer({score_(first_query + i, index, dot), index});
               });
    for (std::int64_t query = first_query; query < block_end(block); ++query) {
      BestK& best = all_best[query - first_query];
      if (grid_.parts == 1) {
        write_row(best, query, k_, output_);
      } else {
        partial_[query * grid_.parts + part] = best;
      }
    }
  }

  void merge_parts(std::int64_t block) {
    for (std::int64_t query = block * kRowBlock; query < block_end(block); ++query) {
      BestK merged(k_);
      for (std::int64_t part = 0; part < grid_.parts; ++part) {
        for (const Candidate& candidate : partial_[query * grid_.parts + part].unsorted()) {
          merged.offer(candidate);
        }
      }
      write_row(merged, query, k_, output_);
    }
  }

  const MatrixView queries_;
  const MatrixView bank_;
  const std::int64_t k_;
  const Score& score_;
  const TopkOutput output_;
  const Execution& execution_;
  const Grid grid_;
  std::vector<std::vector<BestK>> best_;  // per worker
  std::vector<BestK> partial_;            // (query, part)
};

template <typename Score>
void run_topk(const NormedRows& queries, const NormedRows& bank, std::int64_t k, const Score& score,
              const TopkOutput& output, const Execution& execution) {
  TopkCall<Score>(queries.rows, bank.rows, k, score, output, execution).run();
}

}  // namespace

void exact_topk(const NormedRows& queries, const NormedRows& bank, std::int64_t k, bool normalize,
                const TopkOutput& output, const Execution& execution) {
  if (queries.rows.rows == 0) return;
  if (normalize) {
    run_topk(queries, bank, k, CosineScores(queries, bank), output, execution);
  } else {
    run_topk(queries, bank, k, DotScores(), output, execution);
  }
}

}  // namespace mmi
