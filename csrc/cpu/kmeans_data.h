// What every phase of one k-means call shares: rows, weights, and the fixed-point scales.
#pragma once

#include <cstdint>
#include <vector>

#include "core/fixed_point.h"
#include "cpu/kmeans.h"

namespace mmi {

struct KmeansScales {
  FixedPoint sums{1, 1.0, 1.0};  // of weighted values
  FixedPoint weights{1, 1.0, 1.0};
  FixedPoint distances{1, 1.0, 1.0};  // of weighted distances: potentials and inertia
};

class KmeansData {
 public:
  KmeansData(const KmeansInput& input, Metric metric, const Execution& execution);

  const NormedRows x;
  const Metric metric;
  const std::int64_t k;

  std::int64_t rows() const { return x.rows.rows; }
  std::int64_t cols() const { return x.rows.cols; }
  MatrixView centroids_view(const std::vector<float>& centroids) const {
    return {centroids.data(), k, cols()};
  }

  // Weights are scaled by a power of two so that the largest lies in [1, 2): no product with a
  // weight can overflow, and only weighted sums that leave this class need `unscaled`.
  double weight(std::int64_t i) const { return weights_.empty() ? 1.0 : weights_[i]; }
  double unscaled(double weighted_sum) const;

  // A row without weight, or a zero row under cosine, moves no centroid and is never a seed.
  bool contributes(std::int64_t i) const {
    return weight(i) > 0.0 && (metric == Metric::kEuclidean || x.squared_norms[i] > 0.0);
  }

  const KmeansScales& scales() const { return scales_; }

 private:
  void require_resolution(double weight_max) const;

  std::vector<double> weights_;  // empty: all ones
  int weight_exponent_;
  KmeansScales scales_;
};

struct Assignment {
  std::vector<std::int64_t> labels;
  std::vector<double> distances;  // of each row to its own centroid
};

Assignment assign(const KmeansData& data, const std::vector<float>& centroids,
                  const Execution& execution);

// k-means++ with integer potentials: draw t takes the first row whose cumulative potential exceeds
// floor(random_bits(seed, t, 0) * total / 2^64). The potential is the quantised weight for the
// first draw, then the quantised weighted distance to the nearest seed. When every potential is
// zero the lowest row not yet taken is the seed.
std::vector<float> plus_plus_centroids(const KmeansData& data, std::uint64_t seed,
                                       const Execution& execution);

// The labels with every empty cluster given a row, by the rule in kmeans.h.
std::vector<std::int64_t> refill_empty_clusters(const KmeansData& data,
                                                const Assignment& assignment);

std::vector<float> updated_centroids(const KmeansData& data,
                                     const std::vector<std::int64_t>& labels,
                                     const std::vector<float>& previous,
                                     const Execution& execution);

std::vector<std::int64_t> label_counts(const std::vector<std::int64_t>& labels, std::int64_t k);

}  // namespace mmi
