// The eight lanes of an exact dot product, in as many registers as it takes.
#pragma once

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace mmi {
namespace {

#if defined(__AVX512F__)

struct Doubles {
  __m512d lanes = _mm512_setzero_pd();
};

// From memory, so that the load port spreads the values and no shuffle is needed.
[[gnu::always_inline]] inline Doubles widened(const float* from) {
  return {_mm512_cvtps_pd(_mm256_loadu_ps(from))};
}

[[gnu::always_inline]] inline void add_product(Doubles& sum, const Doubles& x, const Doubles& y) {
  sum.lanes = _mm512_fmadd_pd(x.lanes, y.lanes, sum.lanes);
}

[[gnu::always_inline]] inline void store(double* to, const Doubles& values) {
  _mm512_storeu_pd(to, values.lanes);
}

#elif defined(__AVX2__)

struct Doubles {
  __m256d low = _mm256_setzero_pd();
  __m256d high = _mm256_setzero_pd();
};

[[gnu::always_inline]] inline Doubles widened(const float* from) {
  return {_mm256_cvtps_pd(_mm_loadu_ps(from)), _mm256_cvtps_pd(_mm_loadu_ps(from + 4))};
}

[[gnu::always_inline]] inline void add_product(Doubles& sum, const Doubles& x, const Doubles& y) {
  sum.low = _mm256_fmadd_pd(x.low, y.low, sum.low);
  sum.high = _mm256_fmadd_pd(x.high, y.high, sum.high);
}

[[gnu::always_inline]] inline void store(double* to, const Doubles& values) {
  _mm256_storeu_pd(to, values.low);
  _mm256_storeu_pd(to + 4, values.high);
}

#else

// The vector extension of g++ and clang: SSE2, NEON and others have two lanes.
struct Doubles {
  static constexpr int kParts = 4;
  using Part = double __attribute__((vector_size(16)));
  Part parts[kParts] = {};
};

[[gnu::always_inline]] inline Doubles widened(const float* from) {
  Doubles values;
  for (int i = 0; i < Doubles::kParts; ++i) {
    values.parts[i] =
        Doubles::Part{static_cast<double>(from[2 * i]), static_cast<double>(from[2 * i + 1])};
  }
  return values;
}

[[gnu::always_inline]] inline void add_product(Doubles& sum, const Doubles& x, const Doubles& y) {
  for (int i = 0; i < Doubles::kParts; ++i) sum.parts[i] += x.parts[i] * y.parts[i];
}

[[gnu::always_inline]] inline void store(double* to, const Doubles& values) {
  __builtin_memcpy(to, values.parts, sizeof values.parts);
}

#endif

}  // namespace
}  // namespace mmi
