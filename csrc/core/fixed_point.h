// Sums that do not depend on their order: int64 fixed point with a power-of-two step.
//
// Integer addition is associative, so a sum over rows has the same bits for any number of threads,
// ranks or devices and for any order, and what was added can be taken back without a trace. The
// price is a step 2^-exponent that must be chosen before the first row, so that the sum of all rows
// surely stays within +-2^62; docs/kernels.md says how.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace mmi {

class FixedPoint {
 public:
  MMI_HD explicit FixedPoint(int exponent)
      : scale_(std::ldexp(1.0, exponent)), step_(std::ldexp(1.0, -exponent)) {}

  // Round to nearest even. Scaling by a power of two is exact.
  MMI_HD std::int64_t quantise(double value) const { return std::llrint(value * scale_); }

  MMI_HD double value(std::int64_t sum) const { return static_cast<double>(sum) * step_; }

  MMI_HD double scale() const { return scale_; }

 private:
  double scale_;
  double step_;
};

}  // namespace mmi
