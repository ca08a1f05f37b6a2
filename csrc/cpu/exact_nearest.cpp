#include "cpu/exact_nearest.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "cpu/exact_scan.h"

namespace mmi {
namespace {

struct EuclideanScores {
  const double* bank_squared;
  double operator()(std::int64_t, std::int64_t label, double dot) const {
    return dot - 0.5 * bank_squared[label];
  }
};

// score(row, label, dot) is what an assignment maximises.
template <typename Scores>
void assign_by(const Scores& score, const MatrixView& x, const MatrixView& bank,
               std::int64_t* labels, const Execution& execution) {
  using Score = decltype(score(0, 0, 0.0));
  const auto body = [&](std::int64_t task, int, const StopFlag& stop) {
    const std::int64_t begin = task * kRowBlock;
    const std::int64_t end = std::min(begin + kRowBlock, x.rows);
    Score best[kRowBlock];
    std::fill_n(best, kRowBlock, -std::numeric_limits<Score>::infinity());
    std::fill(labels + begin, labels + end, 0);
    scan_block(x.slice(begin, end), bank, stop,
               [&](std::int64_t i, std::int64_t label, double dot) {
                 const Score found = score(begin + i, label, dot);
                 if (found > best[i]) {
                   best[i] = found;
                   labels[begin + i] = label;
                 }
               });
  };
  parallel_for(execution, block_count(x.rows, kRowBlock), body);
}

}  // namespace

void exact_nearest(const NormedRows& x, const NormedRows& bank, Metric metric, std::int64_t* labels,
                   const Execution& execution) {
  if (metric == Metric::kCosine) {
    assign_by(CosineScores(x, bank), x.rows, bank.rows, labels, execution);
  } else {
    assign_by(EuclideanScores{bank.squared_norms}, x.rows, bank.rows, labels, execution);
  }
}

}  // namespace mmi
