// k-means (Lloyd) whose result has the same bits for any number of threads.
//
// Assignment. cosine: the label is the index that cosine_topk(x, centroids, 1) lists, and the
// distance is 1 - score. euclidean: the label maximises s = dot(x, c) - 0.5 * dot(c, c) in double,
// ties to the lowest label, and the distance is max(0, dot(x, x) - 2 s).
//
// Update. cosine: the normalised weighted sum of unit rows x / |x|; a zero row adds nothing.
// euclidean: the weighted mean. Sums are int64 fixed point (core/fixed_point.h) whose step is fixed
// before the first row from (n, max |x|, max weight). A cluster whose sum says nothing (no weight,
// or unit rows that cancel) keeps its centroid.
//
// Empty clusters, in ascending order, take the row that is farthest from its own centroid (ties to
// the lowest row) out of a cluster that has more than one row. Rows without weight, and zero rows
// under cosine, are never taken.
//
// Converged: no label changed between two assignments, or, for tol > 0, no centroid moved farther
// than tol. The labels returned are the assignment against the centroids returned.
//
// Cost: one scan of n * k * d multiply-adds per iteration, and one of equal size for k-means++.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/metric.h"
#include "cpu/parallel.h"
#include "cpu/scores.h"

namespace mmi {

struct KmeansInput {
  NormedRows x;           // finite rows
  const double* weights;  // (n,), non-negative, at least one positive; or null for all ones
  const float* init;      // (k, d) centroids; or null for k-means++
  std::int64_t k;         // 1 <= k <= n
};

struct KmeansSettings {
  Metric metric;
  std::int64_t max_iter;
  double tol;
  std::uint64_t seed;
};

struct KmeansResult {
  std::vector<float> centroids;      // (k, d)
  std::vector<std::int64_t> labels;  // (n,)
  std::vector<std::int64_t> counts;  // (k,), rows per label
  double inertia;                    // weighted sum of distances
  std::int64_t n_iter;               // centroid updates
  bool converged;
};

// Throws std::invalid_argument when int64 sums could not resolve the values: the numbers are in it.
KmeansResult kmeans(const KmeansInput& input, const KmeansSettings& settings,
                    const Execution& execution);

}  // namespace mmi
