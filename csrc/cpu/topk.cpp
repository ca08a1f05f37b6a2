#include "cpu/topk.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/ordering.h"
#include "cpu/gathered_rows.h"
#include "cpu/query_blocks.h"
#include "cpu/scratch.h"
#include "cpu/squared_norms.h"

namespace mmi {
namespace {

constexpr std::int64_t kWorkspaceBytes = 160 << 20;  // of all workers together
constexpr std::int64_t kLeastPartRows = 4096;

// Queries are cut into blocks that fit L2, evenly over the threads. With fewer blocks than threads
// the bank is cut as well; the best k of all are among the best k of the parts.
struct Grid {
  Grid(std::int64_t queries, const PackedBank& bank, std::int64_t k, int threads) {
    const IsaKernels& kernels = isa();
    const std::int64_t panel = kernels.query_panel_rows;
    const std::int64_t d = bank.rows().cols;
    std::int64_t most = largest_query_block(d);
    const auto workspace = [&](std::int64_t rows) {
      return kernels.topk_workspace_bytes(rows, bank.rows().rows, d, k);
    };
    while (most > panel && workspace(most) > kWorkspaceBytes / threads) {
      most = rounded_up(most / 2, panel);
    }
    block = even_query_block(queries, most, threads);
    blocks = block_count(queries, block);
    cut_bank(bank.rows().rows, k, block_count(threads, blocks));
    workspace_bytes = workspace(block);
    // One panel of very long lists may be more than a worker's share: then fewer work.
    workers = static_cast<int>(std::clamp<std::int64_t>(
        kWorkspaceBytes / workspace_bytes, 1, std::min<std::int64_t>(threads, blocks * parts)));
  }

  // Every part holds at least k rows: the last one, too, after rounding to whole panels.
  void cut_bank(std::int64_t rows, std::int64_t k, std::int64_t wanted) {
    const std::int64_t least = std::max(kLeastPartRows, 2 * k);
    for (parts = std::max<std::int64_t>(1, std::min(rows / least, wanted));; --parts) {
      part_rows = rounded_up(block_count(rows, parts), isa().bank_panel_rows);
      if (parts == 1 || rows - (parts - 1) * part_rows >= k) return;
    }
  }

  std::int64_t block;
  std::int64_t blocks;
  std::int64_t parts;
  std::int64_t part_rows;
  std::int64_t workspace_bytes;
  int workers;
};

class FilteredTopk {
 public:
  FilteredTopk(const MatrixView& queries, const PackedBank& bank, std::int64_t k, bool rescore,
               const TopkOutput& output, const Execution& execution)
      : queries_(queries),
        bank_(bank),
        k_(k),
        rescore_(rescore),
        output_(output),
        execution_(execution),
        grid_(queries.rows, bank, k, execution.threads()),
        workers_(execution.limited(grid_.workers)),
        squared_(static_cast<std::size_t>(queries.rows)),
        overflow_(static_cast<std::size_t>(queries.rows * grid_.parts)) {
    for (int worker = 0; worker < workers_.threads(); ++worker) {
      workspaces_.emplace_back(grid_.workspace_bytes);
    }
    worker_stats_.resize(static_cast<std::size_t>(workers_.threads()));
    if (grid_.parts > 1) {
      part_scores_.resize(static_cast<std::size_t>(grid_.parts * queries.rows * k));
      part_indices_.resize(part_scores_.size());
    }
  }

  TopkStats run() {
    parallel_for(workers_, grid_.blocks * grid_.parts,
                 [this](std::int64_t task, int worker, const StopFlag& stop) {
                   search(task / grid_.parts, task % grid_.parts, worker, stop);
                 });
    TopkStats stats = summed();
    stats.bad_row = first_bad_row();
    if (stats.bad_row >= 0) return stats;
    if (grid_.parts > 1) merge_parts();
    stats.overflow_rows = score_overflow();
    return stats;
  }

 private:
  void search(std::int64_t block, std::int64_t part, int worker, const StopFlag& stop) {
    const std::int64_t begin = block * grid_.block;
    const std::int64_t end = std::min(queries_.rows, begin + grid_.block);
    const std::int64_t first_row = part * grid_.part_rows;
    const std::int64_t end_row = std::min(bank_.rows().rows, first_row + grid_.part_rows);
    const std::int64_t at = part * queries_.rows + begin;
    // Every part computes the same norms; the first one's are kept.
    std::vector<double> other_squared(part == 0 ? 0 : static_cast<std::size_t>(end - begin));
    const bool whole = grid_.parts == 1;
    const BlockStats stats = isa().topk_block(
        {queries_.slice(begin, end), part == 0 ? squared_.data() + begin : other_squared.data(),
         bank_.rows().slice(first_row, end_row), bank_.norms() + first_row,
         bank_.view(first_row, end_row), bank_.exponent(), k_, bank_.normalized(), rescore_,
         (whole ? output_.scores : part_scores_.data()) + at * k_,
         (whole ? output_.indices : part_indices_.data()) + at * k_, overflow_.data() + at,
         sort_keys, workspaces_[static_cast<std::size_t>(worker)].get(), &stop});
    BlockStats& sum = worker_stats_[static_cast<std::size_t>(worker)];
    sum.survivors += stats.survivors;
    sum.rescored += stats.rescored;
    for (int phase = 0; phase < 4; ++phase) sum.seconds[phase] += stats.seconds[phase];
  }

  TopkStats summed() const {
    TopkStats stats;
    for (const BlockStats& worker : worker_stats_) {
      stats.survivors += worker.survivors;
      stats.rescored += worker.rescored;
      stats.pack_seconds += worker.seconds[0];
      stats.prime_seconds += worker.seconds[1];
      stats.scan_seconds += worker.seconds[2];
      stats.rescore_seconds += worker.seconds[3];
    }
    return stats;
  }

  std::int64_t first_bad_row() const {
    const auto bad = std::find_if_not(squared_.begin(), squared_.end(),
                                      [](double value) { return std::isfinite(value); });
    return bad == squared_.end() ? -1 : bad - squared_.begin();
  }

  bool overflowed(std::int64_t query) const {
    for (std::int64_t part = 0; part < grid_.parts; ++part) {
      if (overflow_[static_cast<std::size_t>(part * queries_.rows + query)]) return true;
    }
    return false;
  }

  void merge_parts() {
    parallel_for(execution_, queries_.rows, [this](std::int64_t query, int, const StopFlag&) {
      if (overflowed(query)) return;
      std::vector<Candidate> all;
      for (std::int64_t part = 0; part < grid_.parts; ++part) {
        const std::int64_t at = (part * queries_.rows + query) * k_;
        for (std::int64_t i = at; i < at + k_; ++i) {
          all.push_back({part_scores_[i], part_indices_[i] + part * grid_.part_rows});
        }
      }
      std::partial_sort(all.begin(), all.begin() + k_, all.end(), ranks_before);
      for (std::int64_t i = 0; i < k_; ++i) {
        output_.scores[query * k_ + i] = all[i].score;
        output_.indices[query * k_ + i] = all[i].index;
      }
    });
  }

  // Queries without a list: a zero vector scores 0 against every row, so its list is the first
  // rows; the others are scored against all of them, some thousand at a time.
  std::int64_t score_overflow() {
    const std::int64_t batch = gathered_rows(queries_.cols);
    std::vector<std::int64_t> open;
    for (std::int64_t query = 0; query < queries_.rows; ++query) {
      if (!overflowed(query)) continue;
      if (squared_[query] > 0.0) {
        open.push_back(query);
        continue;
      }
      for (std::int64_t i = 0; i < k_; ++i) {
        output_.scores[query * k_ + i] = 0.0f;
        output_.indices[query * k_ + i] = i;
      }
    }
    const auto count = static_cast<std::int64_t>(open.size());
    for (std::int64_t begin = 0; begin < count; begin += batch) {
      score_all(open.data() + begin, std::min(batch, count - begin));
    }
    return count;
  }

  void score_all(const std::int64_t* numbers, std::int64_t count) {
    const GatheredRows some({queries_, squared_.data()}, numbers, count);
    std::vector<float> scores(static_cast<std::size_t>(count * k_));
    std::vector<std::int64_t> indices(scores.size());
    exact_topk(some.rows(), {bank_.rows(), bank_.squared_norms()}, k_, bank_.normalized(),
               {scores.data(), indices.data()}, execution_);
    for (std::int64_t i = 0; i < count; ++i) {
      std::copy_n(scores.data() + i * k_, k_, output_.scores + numbers[i] * k_);
      std::copy_n(indices.data() + i * k_, k_, output_.indices + numbers[i] * k_);
    }
  }

  const MatrixView queries_;
  const PackedBank& bank_;
  const std::int64_t k_;
  const bool rescore_;
  const TopkOutput output_;
  const Execution& execution_;
  const Grid grid_;
  const Execution workers_;
  std::vector<double> squared_;
  std::vector<std::uint8_t> overflow_;  // (part, query)
  std::vector<Scratch> workspaces_;
  std::vector<BlockStats> worker_stats_;
  std::vector<float> part_scores_;  // (part, query, k)
  std::vector<std::int64_t> part_indices_;
};

}  // namespace

void sort_keys(std::uint64_t* keys, std::int64_t count) { std::sort(keys, keys + count); }

TopkStats filtered_topk(const MatrixView& queries, const PackedBank& bank, std::int64_t k,
                        bool rescore, const TopkOutput& output, const Execution& execution) {
  if (queries.rows == 0) return {};
  return FilteredTopk(queries, bank, k, rescore, output, execution).run();
}

}  // namespace mmi
