#include "cpu/kmeans_assign.h"

#include <algorithm>
#include <limits>
#include <vector>

#include "core/exact_dot.h"
#include "core/ordering.h"
#include "cpu/scan.h"

namespace mmi {
namespace {

struct EuclideanScores {
  const double* centroid_squared;
  double operator()(std::int64_t, std::int64_t label, double dot) const {
    return dot - 0.5 * centroid_squared[label];
  }
};

// score(row, label, dot) is what an assignment maximises.
template <typename Scores>
void assign_by(const Scores& score, const MatrixView& x, const MatrixView& centroids,
               std::int64_t* labels, const Execution& execution) {
  using Score = decltype(score(0, 0, 0.0));
  std::vector<ScanScratch> scratch(static_cast<std::size_t>(execution.threads()));
  const auto body = [&](std::int64_t task, int worker, const StopFlag& stop) {
    const std::int64_t begin = task * kRowBlock;
    const std::int64_t end = std::min(begin + kRowBlock, x.rows);
    Score best[kRowBlock];
    std::fill_n(best, kRowBlock, -std::numeric_limits<Score>::infinity());
    std::fill(labels + begin, labels + end, 0);
    scan_block(x.slice(begin, end), centroids, scratch[worker], stop,
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

void kmeans_assign(const NormedRows& x, const MatrixView& centroids, Metric metric,
                   std::int64_t* labels, const Execution& execution) {
  std::vector<double> squared(static_cast<std::size_t>(centroids.rows));
  for (std::int64_t c = 0; c < centroids.rows; ++c) {
    squared[c] = exact_dot(centroids.row(c), centroids.row(c), centroids.cols);
  }
  if (metric == Metric::kCosine) {
    const CosineScores scores(x, {centroids, squared.data()});
    assign_by(scores, x.rows, centroids, labels, execution);
  } else {
    assign_by(EuclideanScores{squared.data()}, x.rows, centroids, labels, execution);
  }
}

}  // namespace mmi
