#include "cpu/kmeans_distances.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/exact_dot.h"
#include "core/ordering.h"

namespace mmi {
namespace {

class RowDistances {
 public:
  RowDistances(const KmeansRows& rows, const MatrixView& centroids)
      : rows_(rows), centroids_(centroids), squared_(static_cast<std::size_t>(centroids.rows)) {
    for (std::int64_t c = 0; c < centroids.rows; ++c) {
      squared_[c] = exact_dot(centroids.row(c), centroids.row(c), centroids.cols);
    }
  }

  double operator()(std::int64_t row, std::int64_t label) const {
    if (label < 0 || label >= centroids_.rows) {
      throw std::invalid_argument("k-means: no such label");
    }
    const double dot = exact_dot(rows_.x.rows.row(row), centroids_.row(label), rows_.cols());
    const double squared = rows_.x.squared_norms[row];
    if (rows_.metric == Metric::kEuclidean) {
      return std::max(0.0, squared - 2.0 * (dot - 0.5 * squared_[label]));
    }
    const float score = cosine_score(dot, std::sqrt(squared), std::sqrt(squared_[label]));
    return std::max(0.0, 1.0 - static_cast<double>(score));
  }

 private:
  const KmeansRows& rows_;
  const MatrixView& centroids_;
  std::vector<double> squared_;
};

// visit(group, row) for all rows, in groups.
template <typename Visit>
void for_each_row(const KmeansRows& rows, const Execution& execution, const Visit& visit) {
  const std::int64_t groups = (rows.count() + kPotentialGroup - 1) / kPotentialGroup;
  parallel_for(execution, groups, [&](std::int64_t group, int, const StopFlag&) {
    const std::int64_t end = std::min(rows.count(), (group + 1) * kPotentialGroup);
    for (std::int64_t row = group * kPotentialGroup; row < end; ++row) visit(group, row);
  });
}

}  // namespace

void distances(const KmeansRows& rows, const MatrixView& centroids, const std::int64_t* labels,
               double* distances, const Execution& execution) {
  const RowDistances distance(rows, centroids);
  for_each_row(rows, execution, [&](std::int64_t, std::int64_t row) {
    distances[row] = distance(row, labels[row]);
  });
}

std::int64_t inertia(const KmeansRows& rows, const MatrixView& centroids,
                     const std::int64_t* labels, const FixedPoint& scale,
                     const Execution& execution) {
  const RowDistances distance(rows, centroids);
  std::atomic<std::int64_t> sum{0};
  for_each_row(rows, execution, [&](std::int64_t, std::int64_t row) {
    sum.fetch_add(scale.quantise(rows.weight(row) * distance(row, labels[row])),
                  std::memory_order_relaxed);
  });
  return sum;
}

void lower_potentials(const KmeansRows& rows, const MatrixView& candidates,
                      const std::int64_t* labels, const FixedPoint& scale,
                      std::int64_t first_candidate, const Potentials& potentials,
                      const Execution& execution) {
  const RowDistances distance(rows, candidates);
  std::fill_n(potentials.groups, (rows.count() + kPotentialGroup - 1) / kPotentialGroup, 0);
  for_each_row(rows, execution, [&](std::int64_t group, std::int64_t row) {
    std::int64_t& potential = potentials.values[row];
    if (potential == 0) return;
    const std::int64_t label = labels ? labels[row] : 0;
    const std::int64_t found = scale.quantise(rows.weight(row) * distance(row, label));
    if (found < potential) {
      potential = found;
      potentials.owners[row] = first_candidate + label;
    }
    potentials.groups[group] += potential;
  });
}

}  // namespace mmi
