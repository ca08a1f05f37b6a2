#include "cpu/kmeans.h"

#include <algorithm>
#include <cmath>

#include "core/exact_dot.h"
#include "cpu/kmeans_data.h"

namespace mmi {
namespace {

double inertia_of(const KmeansData& data, const std::vector<double>& distances) {
  const FixedPoint& scale = data.scales().distances;
  std::int64_t sum = 0;
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    sum += scale.quantise(data.weight(i) * distances[i]);
  }
  return data.unscaled(scale.value(sum));
}

double largest_shift(const KmeansData& data, const std::vector<float>& before,
                     const std::vector<float>& after) {
  double largest = 0.0;
  std::vector<double> move(static_cast<std::size_t>(data.cols()));
  for (std::int64_t c = 0; c < data.k; ++c) {
    for (std::int64_t j = 0; j < data.cols(); ++j) {
      const std::int64_t at = c * data.cols() + j;
      move[j] = static_cast<double>(after[at]) - static_cast<double>(before[at]);
    }
    largest = std::max(largest, std::sqrt(exact_dot(move.data(), move.data(), data.cols())));
  }
  return largest;
}

}  // namespace

KmeansResult kmeans(const KmeansInput& input, const KmeansSettings& settings,
                    const Execution& execution) {
  const KmeansData data(input, settings.metric, execution);
  std::vector<float> centroids =
      input.init ? std::vector<float>(input.init, input.init + data.k * data.cols())
                 : plus_plus_centroids(data, settings.seed, execution);
  Assignment current = assign(data, centroids, execution);
  std::int64_t n_iter = 0;
  bool converged = false;
  while (!converged && n_iter < settings.max_iter) {
    std::vector<float> next_centroids =
        updated_centroids(data, refill_empty_clusters(data, current), centroids, execution);
    Assignment next = assign(data, next_centroids, execution);
    converged =
        next.labels == current.labels ||
        (settings.tol > 0.0 && largest_shift(data, centroids, next_centroids) <= settings.tol);
    centroids = std::move(next_centroids);
    current = std::move(next);
    ++n_iter;
  }
  const double inertia = inertia_of(data, current.distances);
  std::vector<std::int64_t> counts = label_counts(current.labels, data.k);
  return {std::move(centroids),
          std::move(current.labels),
          std::move(counts),
          inertia,
          n_iter,
          converged};
}

}  // namespace mmi
