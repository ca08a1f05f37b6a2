// Exact distances of rows to centroids that are already known: one dot product per row.
//
// cosine: max(0, 1 - score); euclidean: max(0, dot(x, x) - 2 s), with the s of nearest.h.
// Labels outside [0, k) are an std::invalid_argument.
#pragma once

#include <cstdint>

#include "core/fixed_point.h"
#include "cpu/kmeans_rows.h"
#include "cpu/parallel.h"

namespace mmi {

// distances: (n,), of each row to the centroid its label names.
void distances(const KmeansRows& rows, const MatrixView& centroids, const std::int64_t* labels,
               double* distances, const Execution& execution);

// Sum of the quantised weighted distances.
std::int64_t inertia(const KmeansRows& rows, const MatrixView& centroids,
                     const std::int64_t* labels, const FixedPoint& scale,
                     const Execution& execution);

// Rows are drawn in proportion to their potentials, so a draw needs the totals of groups of rows.
inline constexpr std::int64_t kPotentialGroup = 256;

struct Potentials {
  std::int64_t* values;  // (n,): quantised weighted distance to the nearest candidate so far
  std::int64_t* owners;  // (n,): the first candidate that is so near
  std::int64_t* groups;  // (ceil(n / kPotentialGroup),): sums of values
};

// Lowers the positive potentials to what the new candidates give; candidate c has number
// first_candidate + c. labels: the nearest of the new candidates, or null if there is only one.
void lower_potentials(const KmeansRows& rows, const MatrixView& candidates,
                      const std::int64_t* labels, const FixedPoint& scale,
                      std::int64_t first_candidate, const Potentials& potentials,
                      const Execution& execution);

}  // namespace mmi
