// From fixed-point sums to centroids.
#pragma once

#include <cstdint>

#include "cpu/kmeans_sums.h"

namespace mmi {

// cosine: the sum divided by its norm; euclidean: the sum of values divided by the sum of weights;
// rounded to float32. A cluster with nothing to say (no weight, or unit rows that cancel) keeps its
// row of `previous`. Both are (k, d). Returns how far the farthest centroid moved.
double centroids_of(const ClusterSums& sums, const SumScales& scales, Metric metric,
                    const MatrixView& previous, float* centroids, const Execution& execution);

}  // namespace mmi
