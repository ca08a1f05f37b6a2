#include "cpu/kmeans_distances.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <stdexcept>
#include <vector>

#include "core/exact_dot.h"
#include "core/ordering.h"
#include "cpu/blocks.h"
#include "cpu/isa.h"

namespace mmi {
namespace {

constexpr std::int64_t kGroup = kPotentialGroup;

class RowDistances {
 public:
  RowDistances(const KmeansRows& rows, const MatrixView& centroids)
      : rows_(rows), centroids_(centroids), squared_(static_cast<std::size_t>(centroids.rows)) {
    for (std::int64_t c = 0; c < centroids.rows; ++c) {
      squared_[c] = exact_dot(centroids.row(c), centroids.row(c), centroids.cols);
    }
  }

  // visit(row, label, distance) for the rows of one group that `wanted` names, ascending.
  template <typename Wanted, typename LabelOf, typename Visit>
  void of_group(std::int64_t group, const Wanted& wanted, const LabelOf& label_of,
                const Visit& visit) const {
    std::int64_t row[kGroup];
    const float* x[kGroup] = {};
    const float* y[kGroup] = {};
    double dots[kGroup];
    std::int64_t count = 0;
    const std::int64_t end = std::min(rows_.count(), (group + 1) * kGroup);
    for (std::int64_t i = group * kGroup; i < end; ++i) {
      if (!wanted(i)) continue;
      row[count] = i;
      x[count] = rows_.x.rows.row(i);
      y[count] = centroids_.row(checked(label_of(i)));
      ++count;
    }
    isa().exact_dots(x, y, count, rows_.cols(), dots);
    for (std::int64_t p = 0; p < count; ++p) {
      const std::int64_t label = label_of(row[p]);
      visit(row[p], label, distance(row[p], label, dots[p]));
    }
  }

 private:
  std::int64_t checked(std::int64_t label) const {
    if (label < 0 || label >= centroids_.rows) {
      throw std::invalid_argument("k-means: no such label");
    }
    return label;
  }

  double distance(std::int64_t row, std::int64_t label, double dot) const {
    const double squared = rows_.x.squared_norms[row];
    if (rows_.metric == Metric::kEuclidean) {
      return std::max(0.0, squared - 2.0 * (dot - 0.5 * squared_[label]));
    }
    const float score = cosine_score(dot, std::sqrt(squared), std::sqrt(squared_[label]));
    return std::max(0.0, 1.0 - static_cast<double>(score));
  }

  const KmeansRows& rows_;
  const MatrixView& centroids_;
  std::vector<double> squared_;
};

std::int64_t group_count(const KmeansRows& rows) { return block_count(rows.count(), kGroup); }

bool every_row(std::int64_t) { return true; }

}  // namespace

void distances(const KmeansRows& rows, const MatrixView& centroids, const std::int64_t* labels,
               double* distances, const Execution& execution) {
  const RowDistances all(rows, centroids);
  const auto label_of = [&](std::int64_t row) { return labels[row]; };
  parallel_for(execution, group_count(rows), [&](std::int64_t group, int, const StopFlag&) {
    all.of_group(group, every_row, label_of, [&](std::int64_t row, std::int64_t, double distance) {
      distances[row] = distance;
    });
  });
}

std::int64_t inertia(const KmeansRows& rows, const MatrixView& centroids,
                     const std::int64_t* labels, const FixedPoint& scale,
                     const Execution& execution) {
  const RowDistances all(rows, centroids);
  const auto label_of = [&](std::int64_t row) { return labels[row]; };
  std::atomic<std::int64_t> sum{0};
  parallel_for(execution, group_count(rows), [&](std::int64_t group, int, const StopFlag&) {
    std::int64_t part = 0;
    all.of_group(group, every_row, label_of, [&](std::int64_t row, std::int64_t, double distance) {
      part += scale.quantise(rows.weight(row) * distance);
    });
    sum += part;
  });
  return sum;
}

void lower_potentials(const KmeansRows& rows, const MatrixView& candidates,
                      const std::int64_t* labels, const FixedPoint& scale,
                      std::int64_t first_candidate, const Potentials& potentials,
                      const Execution& execution) {
  const RowDistances all(rows, candidates);
  const auto has_potential = [&](std::int64_t row) { return potentials.values[row] > 0; };
  const auto label_of = [&](std::int64_t row) { return labels ? labels[row] : 0; };
  parallel_for(execution, group_count(rows), [&](std::int64_t group, int, const StopFlag&) {
    std::int64_t total = 0;
    all.of_group(group, has_potential, label_of,
                 [&](std::int64_t row, std::int64_t label, double distance) {
                   std::int64_t& potential = potentials.values[row];
                   const std::int64_t found = scale.quantise(rows.weight(row) * distance);
                   if (found < potential) {
                     potential = found;
                     potentials.owners[row] = first_candidate + label;
                   }
                   total += potential;
                 });
    potentials.groups[group] = total;
  });
}

}  // namespace mmi
