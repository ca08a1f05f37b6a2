// The inner loop of the centroid update: sums[j] += nearest integer to x[j] * factor, ties to even.
//
// Contract: |x[j] * factor| < 2^62, the default rounding mode, no contraction. Adding -factor takes
// a row back exactly, because rounding to nearest is symmetric. The code is plain C without
// branches and library calls, so that a compiler vectorises it for any instruction set, and it may
// be compiled once per instruction set.
#pragma once

#include "cpu/isa/kernels.h"

#if defined(__AVX512DQ__)
#include <immintrin.h>
#endif

namespace mmi {
namespace {

// 1.5 * 2^52 leaves no bits for a fraction: adding it rounds to an integer, and that integer is the
// difference of the two bit patterns, while |v| < 2^51. Larger values are split into
// v = high * 2^32 + low with |low| <= 2^31. The subtraction is exact, and high * 2^32 is even, so
// rounding low rounds v, ties included.
[[gnu::always_inline]] inline std::uint64_t nearest_integer(double v) {
  constexpr double kRounder = 6755399441055744.0;
  constexpr std::uint64_t kRounderBits = 0x4338000000000000;
  constexpr double kTwo32 = 4294967296.0;
  const double high = v * (1.0 / kTwo32) + kRounder;
  const double low = (v - (high - kRounder) * kTwo32) + kRounder;
  std::uint64_t high_bits;
  std::uint64_t low_bits;
  __builtin_memcpy(&high_bits, &high, sizeof high);
  __builtin_memcpy(&low_bits, &low, sizeof low);
  return ((high_bits - kRounderBits) << 32) + (low_bits - kRounderBits);
}

// `next` is the row that the caller adds afterwards: rows of one cluster lie anywhere in memory, so
// the processor cannot guess it. It may equal x.
[[gnu::always_inline]] inline void add_row(const float* __restrict x, double factor,
                                           std::int64_t cols, const float* next,
                                           std::uint64_t* __restrict sums) {
  constexpr std::int64_t kLine = 16;  // floats in a cache line
  std::int64_t j = 0;
  for (; j + kLine <= cols; j += kLine) {
    __builtin_prefetch(next + j);
#if defined(__AVX512DQ__)
    for (std::int64_t l = 0; l < kLine; l += 8) {  // compilers do not find vcvtpd2qq themselves
      const __m512d v =
          _mm512_mul_pd(_mm512_cvtps_pd(_mm256_loadu_ps(x + j + l)), _mm512_set1_pd(factor));
      const __m512i sum = _mm512_add_epi64(_mm512_loadu_si512(sums + j + l), _mm512_cvtpd_epi64(v));
      _mm512_storeu_si512(sums + j + l, sum);
    }
#else
    for (std::int64_t l = 0; l < kLine; ++l) {
      sums[j + l] += nearest_integer(x[j + l] * factor);
    }
#endif
  }
  for (; j < cols; ++j) sums[j] += nearest_integer(x[j] * factor);
}

// The rows begin..end of x, each times its factor, onto one cluster's sums.
inline void add_rows(const MatrixView& x, const ScaledRow* begin, const ScaledRow* end,
                     std::uint64_t* sums) {
  for (const ScaledRow* row = begin; row != end; ++row) {
    const ScaledRow* next = row + 1 == end ? row : row + 1;
    add_row(x.row(row->row), row->factor, x.cols, x.row(next->row), sums);
  }
}

// Without their signs, finite floats are ordered as their bits are. Unlike a maximum of floats,
// which is particular about -0 and NaN, a maximum of integers is a loop that compilers vectorise.
inline std::int32_t largest_bits(const float* values, std::int64_t count) {
  std::int32_t largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    std::int32_t bits;
    __builtin_memcpy(&bits, values + i, sizeof bits);
    bits &= 0x7FFFFFFF;
    largest = bits > largest ? bits : largest;
  }
  return largest;
}

}  // namespace
}  // namespace mmi
