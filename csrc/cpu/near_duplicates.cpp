#include "cpu/near_duplicates.h"

#include <algorithm>

#include "cpu/scan.h"

namespace mmi {

std::vector<Pair> near_duplicates(const Window& window, const NormedRows& bank, bool self_join,
                                  float threshold, const Execution& execution) {
  const MatrixView& rows = window.rows.rows;
  const CosineScores score(window.rows, bank);
  const std::int64_t tasks = block_count(rows.rows, kRowBlock);
  std::vector<ScanScratch> scratch(static_cast<std::size_t>(execution.threads()));
  std::vector<std::vector<Pair>> found(static_cast<std::size_t>(tasks));

  parallel_for(execution, tasks, [&](std::int64_t task, int worker, const StopFlag& stop) {
    const std::int64_t begin = task * kRowBlock;
    const std::int64_t end = std::min(begin + kRowBlock, rows.rows);
    // A self-join needs j > i only; what this leaves below the diagonal is dropped one by one.
    const std::int64_t first_j = self_join ? window.first + begin + 1 : 0;
    std::vector<Pair>& pairs = found[task];
    scan_block(rows.slice(begin, end), bank.rows.slice(first_j, bank.rows.rows), scratch[worker],
               stop, [&](std::int64_t row, std::int64_t column, double dot) {
                 const std::int64_t i = window.first + begin + row;
                 const std::int64_t j = first_j + column;
                 if (self_join && j <= i) return;
                 const float value = score(begin + row, j, dot);
                 if (value >= threshold) pairs.push_back({i, j, value});
               });
    std::sort(pairs.begin(), pairs.end(),
              [](const Pair& a, const Pair& b) { return a.i != b.i ? a.i < b.i : a.j < b.j; });
  });

  std::vector<Pair> all;
  for (std::vector<Pair>& pairs : found) {
    all.insert(all.end(), pairs.begin(), pairs.end());
    pairs = {};
  }
  return all;
}

}  // namespace mmi
