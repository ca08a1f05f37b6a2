// The dot product of core/exact_dot.h in vectors: eight lanes side by side, several dots at a time.
#pragma once

#include "core/exact_dot.h"
#include "cpu/isa/doubles.h"
#include "cpu/matrix.h"

namespace mmi {
namespace {

// The columns beyond the last whole group of eight.
template <typename X, typename Y>
[[gnu::always_inline]] inline double folded_with_tail(const Doubles& sum, const X* x, const Y* y,
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
  Doubles sum;
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Doubles value = widened(x + i);
    add_product(sum, value, value);
  }
  return folded_with_tail(sum, x, x, whole, d);
}

// One chain of additions is as long as the latency of each, so four rows go through together.
inline void squared_norms_of(const MatrixView& rows, double* squared) {
  const std::int64_t d = rows.cols;
  const std::int64_t whole = d / kLanes * kLanes;
  std::int64_t i = 0;
  for (; i + 4 <= rows.rows; i += 4) {
    Doubles sum[4];
    for (std::int64_t at = 0; at < whole; at += kLanes) {
      for (int r = 0; r < 4; ++r) {
        const Doubles value = widened(rows.row(i + r) + at);
        add_product(sum[r], value, value);
      }
    }
    for (int r = 0; r < 4; ++r) {
      squared[i + r] = folded_with_tail(sum[r], rows.row(i + r), rows.row(i + r), whole, d);
    }
  }
  for (; i < rows.rows; ++i) squared[i] = squared_norm(rows.row(i), d);
}

// As many pairs as hide the latency of an addition and the way of their rows from L2.
inline constexpr int kPairs = 8;

// dots[p] = dot(shared, rows[p]): the shared row is converted once.
template <int kCount>
inline void exact_dots(const float* shared, const float* const* rows, std::int64_t d,
                       double* dots) {
  const std::int64_t whole = d / kLanes * kLanes;
  Doubles sum[kCount];
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    const Doubles x = widened(shared + i);
    for (int p = 0; p < kCount; ++p) add_product(sum[p], x, widened(rows[p] + i));
  }
  for (int p = 0; p < kCount; ++p) {
    dots[p] = folded_with_tail(sum[p], shared, rows[p], whole, d);
  }
}

// dots[p] = dot(x[p], y[p])
template <int kCount>
inline void exact_dots(const float* const* x, const float* const* y, std::int64_t d, double* dots) {
  const std::int64_t whole = d / kLanes * kLanes;
  Doubles sum[kCount];
  for (std::int64_t i = 0; i < whole; i += kLanes) {
    for (int p = 0; p < kCount; ++p) add_product(sum[p], widened(x[p] + i), widened(y[p] + i));
  }
  for (int p = 0; p < kCount; ++p) dots[p] = folded_with_tail(sum[p], x[p], y[p], whole, d);
}

// dots[p] = dot(x[p], y[p]) for any number of pairs.
inline void exact_dots_of(const float* const* x, const float* const* y, std::int64_t pairs,
                          std::int64_t d, double* dots) {
  for (std::int64_t first = 0; first < pairs; first += kPairs) {
    const float* a[kPairs];
    const float* b[kPairs];
    double found[kPairs];
    for (int p = 0; p < kPairs; ++p) {
      const std::int64_t at = first + p < pairs ? first + p : first;
      a[p] = x[at];
      b[p] = y[at];
    }
    exact_dots<kPairs>(a, b, d, found);
    for (int p = 0; p < kPairs && first + p < pairs; ++p) dots[first + p] = found[p];
  }
}

// dots[j] = dot(x, rows[j])
inline void row_dots(const float* x, const MatrixView& rows, double* dots) {
  for (std::int64_t first = 0; first < rows.rows; first += kPairs) {
    const float* y[kPairs];
    double found[kPairs];
    for (int p = 0; p < kPairs; ++p) y[p] = rows.row(first + p < rows.rows ? first + p : first);
    exact_dots<kPairs>(x, y, rows.cols, found);
    for (int p = 0; p < kPairs && first + p < rows.rows; ++p) dots[first + p] = found[p];
  }
}

}  // namespace
}  // namespace mmi
