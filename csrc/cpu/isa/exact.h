// The dot product of core/exact_dot.h in vectors: eight lanes side by side, several dots at a time.
#pragma once

#include "core/exact_dot.h"
#include "cpu/isa/simd.h"
#include "cpu/matrix.h"

namespace mmi {
namespace {

[[gnu::always_inline]] inline double folded(Doubles8 sum) {
  double lane[kLanes];
  store(lane, sum);
  return fold_lanes(lane);
}

// The columns beyond the last whole group of eight.
template <typename X, typename Y>
[[gnu::always_inline]] inline double folded_with_tail(Doubles8 sum, const X* x, const Y* y,
                                                      std::int64_t whole, std::int64_t d) {
  double lane[kLanes];
  store(lane, sum);
  for (std::int64_t i = whole; i < d; ++i) {
    lane[i - whole] += static_cast<double>(x[i]) * static_cast<double>(y[i]);
  }
  return fold_lanes(lane);
}

inline double squared_norm(const float* x, std::int64_t d) {
  const std::int64_t whole = d / kLanes * kLanes;
  Doubles8 sum = {};
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Doubles8 value = widened(x + i);
    sum += value * value;
  }
  return folded_with_tail(sum, x, x, whole, d);
}

// One chain of additions is as long as the latency of each, so four rows go through together.
inline void squared_norms_of(const MatrixView& rows, double* squared) {
  const std::int64_t d = rows.cols;
  const std::int64_t whole = d / kLanes * kLanes;
  std::int64_t i = 0;
  for (; i + 4 <= rows.rows; i += 4) {
    Doubles8 sum[4] = {};
    for (std::int64_t at = 0; at < whole; at += kLanes) {
      for (int r = 0; r < 4; ++r) {
        const Doubles8 value = widened(rows.row(i + r) + at);
        sum[r] += value * value;
      }
    }
    for (int r = 0; r < 4; ++r) {
      squared[i + r] = folded_with_tail(sum[r], rows.row(i + r), rows.row(i + r), whole, d);
    }
  }
  for (; i < rows.rows; ++i) squared[i] = squared_norm(rows.row(i), d);
}

inline constexpr int kPairs = 4;

// dots[p] = dot(shared, rows[p]): the shared row is converted once.
inline void exact_dots(const float* shared, const float* const (&rows)[kPairs], std::int64_t d,
                       double (&dots)[kPairs]) {
  const std::int64_t whole = d / kLanes * kLanes;
  Doubles8 sum[kPairs] = {};
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Doubles8 x = widened(shared + i);
    for (int p = 0; p < kPairs; ++p) sum[p] += x * widened(rows[p] + i);
  }
  for (int p = 0; p < kPairs; ++p) {
    dots[p] = folded_with_tail(sum[p], shared, rows[p], whole, d);
  }
}

// dots[p] = dot(x[p], y[p])
inline void exact_dots(const float* const (&x)[kPairs], const float* const (&y)[kPairs],
                       std::int64_t d, double (&dots)[kPairs]) {
  const std::int64_t whole = d / kLanes * kLanes;
  Doubles8 sum[kPairs] = {};
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    for (int p = 0; p < kPairs; ++p) sum[p] += widened(x[p] + i) * widened(y[p] + i);
  }
  for (int p = 0; p < kPairs; ++p) dots[p] = folded_with_tail(sum[p], x[p], y[p], whole, d);
}

}  // namespace
}  // namespace mmi
