#include <algorithm>
#include <cmath>
#include <limits>

#include "core/ordering.h"
#include "cpu/exact_scan.h"
#include "cpu/kmeans_data.h"

namespace mmi {
namespace {

// Rules: score(row, label, dot) is what an assignment maximises, distance(row, score) what it
// costs.
struct CosineRule {
  CosineRule(const NormedRows& x, const NormedRows& centroids) : score(x, centroids) {}
  static double distance(std::int64_t, float best) {
    return std::max(0.0, 1.0 - static_cast<double>(best));
  }
  CosineScores score;
};

struct EuclideanRule {
  EuclideanRule(const NormedRows& x, const NormedRows& centroids)
      : score{centroids.squared_norms}, x_squared(x.squared_norms) {}
  double distance(std::int64_t row, double best) const {
    return std::max(0.0, x_squared[row] - 2.0 * best);
  }
  struct Score {
    const double* centroid_squared;
    double operator()(std::int64_t, std::int64_t label, double dot) const {
      return dot - 0.5 * centroid_squared[label];
    }
  };
  Score score;
  const double* x_squared;
};

template <typename Rule>
Assignment assign_by(const Rule& rule, const MatrixView& x, const MatrixView& centroids,
                     const Execution& execution) {
  using Score = decltype(rule.score(0, 0, 0.0));
  struct Best {
    Score score;
    std::int64_t label;
  };
  Assignment assignment;
  assignment.labels.resize(static_cast<std::size_t>(x.rows));
  assignment.distances.resize(static_cast<std::size_t>(x.rows));
  std::vector<ScanScratch> scratch(static_cast<std::size_t>(execution.threads()));

  parallel_for(execution, block_count(x.rows, kRowBlock),
               [&](std::int64_t task, int worker, const StopFlag& stop) {
                 const std::int64_t begin = task * kRowBlock;
                 const std::int64_t end = std::min(begin + kRowBlock, x.rows);
                 Best best[kRowBlock];
                 std::fill_n(best, kRowBlock, Best{-std::numeric_limits<Score>::infinity(), 0});
                 scan_block(x.slice(begin, end), centroids, scratch[worker], stop,
                            [&](std::int64_t i, std::int64_t label, double dot) {
                              const Score score = rule.score(begin + i, label, dot);
                              if (score > best[i].score) best[i] = {score, label};
                            });
                 for (std::int64_t row = begin; row < end; ++row) {
                   assignment.labels[row] = best[row - begin].label;
                   assignment.distances[row] = rule.distance(row, best[row - begin].score);
                 }
               });
  return assignment;
}

}  // namespace

Assignment assign(const KmeansData& data, const std::vector<float>& centroids,
                  const Execution& execution) {
  const MatrixView view = data.centroids_view(centroids);
  std::vector<double> squared(static_cast<std::size_t>(data.k));
  for (std::int64_t c = 0; c < data.k; ++c) {
    squared[c] = exact_dot(view.row(c), view.row(c), view.cols);
  }
  const NormedRows normed{view, squared.data()};
  return data.metric == Metric::kCosine
             ? assign_by(CosineRule(data.x, normed), data.x.rows, view, execution)
             : assign_by(EuclideanRule(data.x, normed), data.x.rows, view, execution);
}

}  // namespace mmi
