// The nearest of a few bank rows for every row: the assignment step of k-means.
//
// cosine: the first index that cosine_topk lists. euclidean: the row that maximises
// dot(x, c) - 0.5 * dot(c, c) in double, ties to the lowest. Both through the certified scan, with
// a packed copy of the rows that is made once and used in every iteration.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/metric.h"
#include "cpu/packed_panels.h"

namespace mmi {

// Rows packed as queries, with what the bound needs. Memory: half of the float32 rows for a 16-bit
// scan, as much as them otherwise.
class PackedRows {
 public:
  // The rows must outlive this. squared_norms: finite.
  PackedRows(const NormedRows& x, Metric metric, const Execution& execution);

  const NormedRows& x() const { return x_; }
  Metric metric() const { return metric_; }
  const Scaling& scaling() const { return scaling_; }
  const double* norms() const { return norms_.data(); }
  const double* residuals() const { return panels_.residuals.data(); }
  const std::byte* panels(std::int64_t first_row) const;
  std::int64_t bytes() const { return panels_.bytes; }

 private:
  NormedRows x_;
  Metric metric_;
  Scaling scaling_;
  std::vector<double> norms_;
  PackedPanels panels_;
};

// labels: (rows). `bank` holds 1 to 2^25 - 1 finite rows.
void nearest(const PackedRows& rows, const MatrixView& bank, std::int64_t* labels,
             const Execution& execution);

}  // namespace mmi
