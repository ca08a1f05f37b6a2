// A bank made ready for the scan of one instruction set: scaled, rounded, laid out in panels.
//
// The rows themselves stay with the caller and must outlive this: candidates are scored from them.
// Memory: about half of the float32 rows for a 16-bit scan, as much as them otherwise.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/packed_panels.h"

namespace mmi {

class PackedBank {
 public:
  // squared_norms as squared_norms.h computes them, all finite. With a bias, a scan score is
  // dot - 0.5 * dot(row, row).
  PackedBank(const MatrixView& rows, std::vector<double> squared_norms, const Scaling& scaling,
             bool biased, const Execution& execution);

  const MatrixView& rows() const { return rows_; }
  const double* squared_norms() const { return squared_norms_.data(); }
  const double* norms() const { return norms_.data(); }
  bool normalized() const { return scaling_.unit; }
  int exponent() const { return scaling_.exponent; }  // of the power of two that scaled the rows

  // Rows begin..end, begin on a border of panels.
  PackedView view(std::int64_t begin, std::int64_t end) const;
  std::int64_t bytes() const { return panels_.bytes; }

 private:
  void set_bias();

  MatrixView rows_;
  std::vector<double> squared_norms_;
  std::vector<double> norms_;
  Scaling scaling_;
  PackedBounds bounds_;
  PackedPanels panels_;
  std::vector<float> bias_;  // per row of whole panels, repeated as the tile wants it; or empty
};

// To unit length, or by the power of two of scaling_exponent.
Scaling bank_scaling(bool normalize, const std::vector<double>& squared_norms);

// The power of two that brings the largest norm into [0.5, 1); 0 if all are zero.
int scaling_exponent(const double* squared_norms, std::int64_t rows);

}  // namespace mmi
