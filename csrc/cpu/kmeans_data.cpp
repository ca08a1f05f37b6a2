#include "cpu/kmeans_data.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <stdexcept>
#include <string>

namespace mmi {
namespace {

double absolute_maximum(const float* values, std::int64_t count) {
  double maximum = 0.0;
  for (std::int64_t i = 0; i < count; ++i) {
    maximum = std::max(maximum, std::fabs(static_cast<double>(values[i])));
  }
  return maximum;
}

double absolute_maximum(const MatrixView& x, const Execution& execution) {
  constexpr std::int64_t kRowsPerTask = 1024;
  const std::int64_t tasks = (x.rows + kRowsPerTask - 1) / kRowsPerTask;
  std::vector<double> maxima(static_cast<std::size_t>(tasks));
  parallel_for(execution, tasks, [&](std::int64_t task, int, const StopFlag&) {
    const std::int64_t begin = task * kRowsPerTask;
    const std::int64_t rows = std::min(kRowsPerTask, x.rows - begin);
    maxima[task] = absolute_maximum(x.row(begin), rows * x.cols);
  });
  return *std::max_element(maxima.begin(), maxima.end());
}

KmeansScales choose_scales(const KmeansInput& input, Metric metric, double weight_max,
                           const Execution& execution) {
  const MatrixView& x = input.x.rows;
  double value_max = 1.0;     // of a unit row
  double distance_max = 2.0;  // 1 - score
  if (metric == Metric::kEuclidean) {
    value_max = absolute_maximum(x, execution);
    // Later centroids are means of rows, so only the given ones can lie farther out.
    const double centroid_max =
        input.init ? std::max(value_max, absolute_maximum(input.init, input.k * x.cols))
                   : value_max;
    const double reach = value_max + centroid_max;
    distance_max = static_cast<double>(x.cols) * reach * reach;
  }
  return {FixedPoint(x.rows, value_max, weight_max), FixedPoint(x.rows, 1.0, weight_max),
          FixedPoint(x.rows, distance_max, weight_max)};
}

std::string sentence(const char* format, double step, double rms, std::int64_t rows,
                     double weight_max) {
  char text[400];
  std::snprintf(text, sizeof text, format, step, rms, static_cast<long long>(rows), weight_max);
  return text;
}

}  // namespace

KmeansData::KmeansData(const KmeansInput& input, Metric metric_, const Execution& execution)
    : x(input.x), metric(metric_), k(input.k), weight_exponent_(0) {
  double weight_max = 1.0;
  if (input.weights) {
    weights_.assign(input.weights, input.weights + rows());
    weight_exponent_ = std::ilogb(*std::max_element(weights_.begin(), weights_.end()));
    for (double& weight : weights_) weight = std::ldexp(weight, -weight_exponent_);
    weight_max = *std::max_element(weights_.begin(), weights_.end());
  }
  scales_ = choose_scales(input, metric, weight_max, execution);
  require_resolution(weight_max);
}

// The rms of the weighted values that the sums will see. Rows in ascending order, one thread: the
// check itself is reproducible, too.
void KmeansData::require_resolution(double weight_max) const {
  double squares = 0.0;
  std::int64_t contributing = 0;
  for (std::int64_t i = 0; i < rows(); ++i) {
    if (!contributes(i)) continue;
    const double squared_norm = metric == Metric::kCosine ? 1.0 : x.squared_norms[i];
    squares += weight(i) * weight(i) * squared_norm;
    ++contributing;
  }
  const double values = static_cast<double>(contributing) * static_cast<double>(cols());
  const double rms = contributing ? std::sqrt(squares / values) : 0.0;
  if (rms == 0.0 || scales_.sums.resolves(rms)) return;
  throw std::invalid_argument(
      sentence("k-means: the fixed-point step %.3g of the centroid sums exceeds 2^-24 of the rms "
               "%.3g of the "
               "weighted values (%lld rows, largest weight %.3g after scaling); a few values or "
               "weights dwarf "
               "all others: clip or rescale them, or cluster fewer rows at a time",
               scales_.sums.step(), rms, rows(), weight_max));
}

double KmeansData::unscaled(double weighted_sum) const {
  return std::ldexp(weighted_sum, weight_exponent_);
}

std::vector<std::int64_t> label_counts(const std::vector<std::int64_t>& labels, std::int64_t k) {
  std::vector<std::int64_t> counts(static_cast<std::size_t>(k));
  for (const std::int64_t label : labels) ++counts[label];
  return counts;
}

}  // namespace mmi
