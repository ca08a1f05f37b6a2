// Sums of the rows of each cluster in int64 fixed point, kept up to date by what changed.
//
// Adding and taking back are exact, so sums that followed a thousand changes of label equal sums
// computed afresh. Cost: 16 bytes per row to see what changed, then one read of each changed row.
#pragma once

#include <cstdint>

#include "core/fixed_point.h"
#include "cpu/kmeans_rows.h"
#include "cpu/parallel.h"

namespace mmi {

struct ClusterSums {
  std::int64_t k;
  std::int64_t* values;   // (k, d), of x * factor
  std::int64_t* weights;  // (k,)
  std::int64_t* counts;   // (k,), rows, contributing or not
};

struct SumScales {
  FixedPoint values;
  FixedPoint weights;
};

// Adds each row whose label is not its previous one to the cluster `labels` names, and takes it out
// of the cluster `previous` names; without `previous` (null) all rows are new. Returns the number
// of such rows. Throws std::invalid_argument for a label outside [0, k), or what a poll throws; the
// sums are then good for nothing.
std::int64_t accumulate(const KmeansRows& rows, const std::int64_t* labels,
                        const std::int64_t* previous, const SumScales& scales,
                        const ClusterSums& sums, const Execution& execution);

// How far the sums resolve the rows: a row counts min(squares / unit, cap) in fixed point.
struct Resolution {
  std::int64_t rows;  // that contribute and are not zero
  std::int64_t sum;
};
Resolution resolution(const KmeansRows& rows, double unit, double cap, const FixedPoint& scale,
                      const Execution& execution);

}  // namespace mmi
