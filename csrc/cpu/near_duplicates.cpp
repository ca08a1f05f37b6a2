#include "cpu/near_duplicates.h"

#include <algorithm>
#include <atomic>

#include "cpu/query_blocks.h"
#include "cpu/scratch.h"

namespace mmi {
namespace {

// Leaves a block of rows that found too much.
struct TooManyPairs {};

// What one block of rows found.
struct Found {
  std::vector<Pair> pairs;
  std::int64_t first_i;
  std::int64_t first_j;
  std::atomic<std::int64_t>* total;
  std::int64_t most;

  static void emit(void* self, std::int64_t query, std::int64_t row, float score) {
    auto& found = *static_cast<Found*>(self);
    if (found.total->fetch_add(1, std::memory_order_relaxed) >= found.most) throw TooManyPairs{};
    found.pairs.push_back({found.first_i + query, found.first_j + row, score});
  }
};

bool before(const Pair& a, const Pair& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; }

}  // namespace

JoinResult near_duplicates(const Window& window, const PackedBank& bank, bool self_join,
                           float threshold, std::int64_t most_pairs, const Execution& execution) {
  const MatrixView& rows = window.rows.rows;
  const IsaKernels& kernels = isa();
  const std::int64_t size =
      even_query_block(rows.rows, largest_query_block(rows.cols), execution.threads());
  const std::int64_t blocks = block_count(rows.rows, size);
  const std::int64_t bank_rows = bank.rows().rows;
  const std::vector<double> norms = norms_of(window.rows);
  const Execution workers = execution.limited(blocks);
  std::vector<Scratch> workspaces;
  for (int worker = 0; worker < workers.threads(); ++worker) {
    workspaces.emplace_back(kernels.join_workspace_bytes(size, rows.cols));
  }
  std::atomic<std::int64_t> total{0};
  std::vector<Found> found(static_cast<std::size_t>(blocks));

  try {
    parallel_for(workers, blocks, [&](std::int64_t block, int worker, const StopFlag& stop) {
      const std::int64_t begin = block * size;
      const std::int64_t end = std::min(rows.rows, begin + size);
      // A self-join needs j > i only: it starts with the panel of the first row's successor. Rows
      // that lie before the bank, which is a later part of theirs, have negative numbers.
      const std::int64_t first_i = window.first + begin;
      const std::int64_t after = std::max<std::int64_t>(0, first_i + 1);
      const std::int64_t first_j =
          self_join ? after / kernels.bank_panel_rows * kernels.bank_panel_rows : 0;
      if (first_j >= bank_rows) return;
      Found& mine = found[block];
      mine = {{}, first_i, first_j, &total, most_pairs};
      kernels.join_block({rows.slice(begin, end), window.rows.squared_norms + begin,
                          norms.data() + begin, bank.rows().slice(first_j, bank_rows),
                          bank.norms() + first_j, bank.view(first_j, bank_rows), threshold,
                          self_join, first_i - first_j, &mine, &Found::emit,
                          workspaces[static_cast<std::size_t>(worker)].get(), &stop});
      std::sort(mine.pairs.begin(), mine.pairs.end(), before);
    });
  } catch (const TooManyPairs&) {
    return {{}, false};
  }

  JoinResult result{{}, true};
  result.pairs.reserve(static_cast<std::size_t>(total.load()));
  for (Found& block : found) {
    result.pairs.insert(result.pairs.end(), block.pairs.begin(), block.pairs.end());
    block.pairs = {};
  }
  return result;
}

}  // namespace mmi
