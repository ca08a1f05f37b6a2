// The exact label of every row: the one expensive step of k-means.
//
// cosine: the label is the index that cosine_topk(x, centroids, 1) lists. euclidean: it maximises
// s = dot(x, c) - 0.5 * dot(c, c) in double. Ties go to the lowest label. How a label is found is
// nobody else's business: distances are computed elsewhere, from the labels.
#pragma once

#include <cstdint>

#include "cpu/kmeans_rows.h"
#include "cpu/parallel.h"

namespace mmi {

// x: (n, d) and its squared norms; centroids: (k, d), finite, k >= 1; labels: (n,), written.
// Cost: n * k * d multiply-adds in double.
void kmeans_assign(const NormedRows& x, const MatrixView& centroids, Metric metric,
                   std::int64_t* labels, const Execution& execution);

}  // namespace mmi
