#include "cpu/kmeans_centroids.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/exact_dot.h"
#include "core/ordering.h"
#include "cpu/blocks.h"

namespace mmi {
namespace {

constexpr std::int64_t kClustersPerTask = 8;

}  // namespace

double centroids_of(const ClusterSums& sums, const SumScales& scales, Metric metric,
                    const MatrixView& previous, float* centroids, const Execution& execution) {
  const std::int64_t d = previous.cols;
  const std::int64_t tasks = block_count(sums.k, kClustersPerTask);
  std::vector<double> farthest(static_cast<std::size_t>(tasks));
  parallel_for(execution, tasks, [&](std::int64_t task, int, const StopFlag&) {
    std::vector<double> sum(static_cast<std::size_t>(d));
    const std::int64_t end = std::min(sums.k, (task + 1) * kClustersPerTask);
    for (std::int64_t c = task * kClustersPerTask; c < end; ++c) {
      const float* before = previous.row(c);
      float* after = centroids + c * d;
      for (std::int64_t j = 0; j < d; ++j) sum[j] = scales.values.value(sums.values[c * d + j]);
      const double by = metric == Metric::kCosine ? std::sqrt(exact_dot(sum.data(), sum.data(), d))
                                                  : scales.weights.value(sums.weights[c]);
      if (by == 0.0) {
        std::copy_n(before, d, after);
        continue;
      }
      for (std::int64_t j = 0; j < d; ++j) {
        after[j] = stored_float(sum[j] / by);
        sum[j] = static_cast<double>(after[j]) - static_cast<double>(before[j]);
      }
      farthest[task] = std::max(farthest[task], std::sqrt(exact_dot(sum.data(), sum.data(), d)));
    }
  });
  return tasks ? *std::max_element(farthest.begin(), farthest.end()) : 0.0;
}

}  // namespace mmi
