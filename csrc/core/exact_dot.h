// The one dot product of the project.
//
// Contract: for x, y of d values
//   1. lane l (0 <= l < 8) starts at +0.0 and adds x[i] * y[i] for i = l, l + 8, l + 16, ... < d,
//      in this order, in IEEE double, round to nearest even;
//   2. the lanes are folded in halves: s[l] = lane[l] + lane[l + 4] for l < 4,
//      t[l] = s[l] + s[l + 2] for l < 2, and dot = t[0] + t[1].
//
// Why it gives the same bits everywhere: the product of two float32 values has at most 48
// significant bits and an exponent far inside the range of double, so it is exact. A fused
// multiply-add therefore rounds exactly like a multiplication followed by an addition, and SSE,
// AVX, NEON and CUDA agree. Eight lanes fill one AVX-512 register, two AVX registers or four SSE
// ones.
//
// Padding x and y with zeros up to a multiple of 8 changes nothing: a lane is never -0.0 (it starts
// at +0.0, and +0.0 plus either zero is +0.0), so adding a zero product leaves its bits alone.
//
// With double arguments the product is rounded once; the order is the same, and the compiler must
// not contract (-ffp-contract=off). Only centroid norms use that form.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mmi {

inline constexpr int kLanes = 8;

MMI_HD inline double fold_lanes(const double (&lane)[kLanes]) {
  const double s0 = lane[0] + lane[4];
  const double s1 = lane[1] + lane[5];
  const double s2 = lane[2] + lane[6];
  const double s3 = lane[3] + lane[7];
  return (s0 + s2) + (s1 + s3);
}

template <typename Value>
MMI_HD inline double exact_dot(const Value* x, const Value* y, std::int64_t d) {
  double lane[kLanes] = {};
  const std::int64_t whole = d / kLanes * kLanes;
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) {
      lane[l] += static_cast<double>(x[i + l]) * static_cast<double>(y[i + l]);
    }
  }
  for (std::int64_t i = whole; i < d; ++i) {
    lane[i - whole] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  return fold_lanes(lane);
}

}  // namespace mmi
