// How far a scan score can be from the score that is listed, and what follows for the filter.
//
// A scan multiplies packed rows x~, y~ (rounded to 16 bits, or scaled in float32) and accumulates
// in float32. With r = |x - x~| and q = |y - y~| for the row and the worst bank row,
//
//   |dot(x, y) - dot(x~, y~)| <= r |y| + |x~| q                            (Cauchy-Schwarz, twice)
//   |scan(x~, y~) - (bias + dot(x~, y~))| <= g (|x~| |y~| + |bias|)        g = n u / (1 - n u)
//
// where n = d + 16 bounds the roundings on the way of any one product through a sum of d products
// and a bias, in whatever order the additions are made, and u = 2^-23 holds for rounding to nearest
// (2^-24) and for truncation (2^-23) alike: a matrix unit may do either. Products of two bfloat16
// (or float16) values are exact in float32. Units that flush subnormal numbers lose less than
// kFlushed.
//
// A listed score is rounded to float32 once more (half an ulp, u / 2 relative), thresholds are
// computed in float32, and norms are float64 sums whose own error (d / 16 * 2^-53) exceeds the
// 2^-40 allowed for them in very long rows only: 4 u of the size of a score covers all three.
//
// Filter: let T be at most the k-th largest scan score of a row, and E its bound. Every bank row
// that belongs to the exact list has a scan score >= T - 2 E. Proof: k rows have a scan score >= T,
// hence a listed score >= T - E; a row below T - 2 E has a listed score < T - E, so k rows rank
// strictly before it, whatever the tie rule.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace mmi {

// Upper bounds over the packed rows of one side.
struct PackedBounds {
  double norm;      // of the rows that the scores are about
  double residual;  // |row - packed row|
  double bias;      // |bias|, zero where there is none
};

namespace certificate {

inline constexpr double kUnitRoundoff = 0x1p-23;
inline constexpr double kFlushed = 1e-30;

// The roundings of a scan and of what follows it, relative to the sizes involved. For rows so long
// that the classical bound means nothing, it is infinite: every row is then scored exactly.
MMI_HD inline double accumulation(std::int64_t d) {
  const double n_u = (static_cast<double>(d) + 16.0) * kUnitRoundoff;
  return n_u < 0.5 ? n_u / (1.0 - n_u) : INFINITY;
}

// E for one row with bounds x against a bank with bounds y. `listed` is the absolute error of the
// last rounding where it is not relative (scores in the subnormal range of float32), else 0.
MMI_HD inline float scan_error(const PackedBounds& x, const PackedBounds& y, std::int64_t d,
                               double listed) {
  const double x_packed = x.norm + x.residual;
  const double y_packed = y.norm + y.residual;
  const double size = x_packed * y_packed + y.bias;
  const double error = x.residual * y.norm + x_packed * y.residual + accumulation(d) * size +
                       4.0 * kUnitRoundoff * size + kFlushed + listed;
  return static_cast<float>(error * (1.0 + 0x1p-20));
}

// |row - packed row| from the float32 sum of squared differences of d values. `norm` bounds the
// row; scaling it in float32 before it was packed cost at most 2^-22 of that.
MMI_HD inline double residual_bound(double summed_squares, double norm, std::int64_t d) {
  const double growth = 1.0 + (static_cast<double>(d) + 16.0) * kUnitRoundoff;
  return std::sqrt(summed_squares) * growth + norm * 0x1p-22 +
         std::sqrt(static_cast<double>(d)) * 1e-20;
}

}  // namespace certificate
}  // namespace mmi
