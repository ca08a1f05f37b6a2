// Sums that do not depend on their order: int64 fixed point with a power-of-two step.
//
// Integer addition is associative, so a sum over rows has the same bits for any number of threads,
// ranks or devices and for any order. The price is a step that must be chosen before the first row:
// given n_total rows, |value| <= value_max and 0 <= weight <= weight_max, the step is the smallest
// power of two for which the sum of all n_total weighted values surely stays within +-2^62.
//
// Not handled here: whether the step is fine enough for the data. The caller knows the rms of the
// weighted values and asks `resolves`; a relative step of 2^-24 is the rounding of float32 itself.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace mmi {

// The smallest e with |v| < 2^e, for v != 0. For 0 any e will do; 0 keeps the step ordinary.
MMI_HD inline int bounding_exponent(double v) { return v == 0.0 ? 0 : std::ilogb(v) + 1; }

class FixedPoint {
 public:
  MMI_HD FixedPoint(std::int64_t n_total, double value_max, double weight_max)
      : exponent_(kSumBits - bounding_exponent(static_cast<double>(n_total)) -
                  bounding_exponent(value_max) - bounding_exponent(weight_max)),
        scale_(std::ldexp(1.0, exponent_)) {}

  // Round to nearest even. Scaling by a power of two is exact.
  MMI_HD std::int64_t quantise(double value) const { return std::llrint(value * scale_); }

  MMI_HD double value(std::int64_t sum) const {
    return std::ldexp(static_cast<double>(sum), -exponent_);
  }

  MMI_HD double step() const { return std::ldexp(1.0, -exponent_); }

  MMI_HD bool resolves(double rms) const { return step() <= std::ldexp(rms, -24); }

 private:
  static constexpr int kSumBits = 62;
  int exponent_;
  double scale_;
};

}  // namespace mmi
