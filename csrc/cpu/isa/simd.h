// Vectors of the instruction set that this translation unit is compiled for.
//
// Arithmetic is written with the vector extension of g++ and clang, which every target can lower;
// only what it cannot say (lane masks, compressed stores) is spelled per instruction set here.
//
// Everything below isa/ has internal linkage and instantiates nothing of std::, so that no function
// compiled for one instruction set can be linked into another's place.
#pragma once

#include <cstdint>

#if defined(__AVX2__)
#include <immintrin.h>
#endif

namespace mmi {
namespace {

#if defined(__AVX512F__)
inline constexpr int kWidth = 16;
#elif defined(__AVX2__)
inline constexpr int kWidth = 8;
#else
inline constexpr int kWidth = 4;
#endif

using Floats = float __attribute__((vector_size(kWidth * sizeof(float))));
using Ints = std::int32_t __attribute__((vector_size(kWidth * sizeof(std::int32_t))));
using Mask = std::uint32_t;  // bit l: lane l

// The operand whose panel the next product reads again, so that it is worth its place in L1.
enum class Stays { kBank, kQueries };

inline constexpr float kLargest = 0x1.fffffep127f;

template <typename Vector, typename Value>
[[gnu::always_inline]] inline Vector load(const Value* from) {
  static_assert(sizeof(Vector) % sizeof(Value) == 0, "whole values");
  Vector vector;
  __builtin_memcpy(&vector, from, sizeof vector);
  return vector;
}

template <typename Vector, typename Value>
[[gnu::always_inline]] inline void store(Value* to, const Vector& vector) {
  __builtin_memcpy(to, &vector, sizeof vector);
}

[[gnu::always_inline]] inline Floats splat(float value) {
#if defined(__AVX512F__)
  return reinterpret_cast<Floats>(_mm512_set1_ps(value));
#elif defined(__AVX2__)
  return reinterpret_cast<Floats>(_mm256_set1_ps(value));
#else
  return Floats{value, value, value, value};
#endif
}

// a * b + c, fused where the instruction set has that: contraction by the compiler is off.
[[gnu::always_inline]] inline Floats multiply_add(Floats a, Floats b, Floats c) {
#if defined(__AVX512F__)
  return reinterpret_cast<Floats>(_mm512_fmadd_ps(
      reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), reinterpret_cast<__m512>(c)));
#elif defined(__AVX2__)
  return reinterpret_cast<Floats>(_mm256_fmadd_ps(
      reinterpret_cast<__m256>(a), reinterpret_cast<__m256>(b), reinterpret_cast<__m256>(c)));
#else
  return a * b + c;
#endif
}

[[gnu::always_inline]] inline Floats larger(Floats a, Floats b) { return a > b ? a : b; }

[[gnu::always_inline]] inline Mask at_least(Floats a, Floats b) {
#if defined(__AVX512F__)
  return _mm512_cmp_ps_mask(reinterpret_cast<__m512>(a), reinterpret_cast<__m512>(b), _CMP_GE_OQ);
#elif defined(__AVX2__)
  return static_cast<Mask>(_mm256_movemask_ps(reinterpret_cast<__m256>(a >= b)));
#else
  const Ints reached = a >= b;
  Mask mask = 0;
  for (int l = 0; l < kWidth; ++l) mask |= static_cast<Mask>(reached[l] & 1) << l;
  return mask;
#endif
}

// Bit j: mask j of count <= 64 is not empty.
[[gnu::always_inline]] inline std::uint64_t not_empty(const std::uint16_t* masks, int count) {
#if defined(__AVX512BW__)
  if (count == 64) {
    const __m512i low = _mm512_loadu_si512(masks);
    const __m512i high = _mm512_loadu_si512(masks + 32);
    return static_cast<std::uint64_t>(_mm512_test_epi16_mask(high, high)) << 32 |
           _mm512_test_epi16_mask(low, low);
  }
#endif
  std::uint64_t map = 0;
  for (int j = 0; j < count; ++j) map |= static_cast<std::uint64_t>(masks[j] != 0) << j;
  return map;
}

// Append the lanes of `mask`, in order, to two arrays with room for a whole vector at their end.
[[gnu::always_inline]] inline int append_lanes(Mask mask, Floats scores, Ints tags,
                                               float* score_end, std::int32_t* tag_end) {
#if defined(__AVX512F__)
  _mm512_storeu_ps(score_end, _mm512_maskz_compress_ps(static_cast<__mmask16>(mask),
                                                       reinterpret_cast<__m512>(scores)));
  _mm512_storeu_si512(tag_end, _mm512_maskz_compress_epi32(static_cast<__mmask16>(mask),
                                                           reinterpret_cast<__m512i>(tags)));
  return __builtin_popcount(mask);
#else
  int count = 0;
  for (; mask != 0; mask &= mask - 1, ++count) {
    const int lane = __builtin_ctz(mask);
    score_end[count] = scores[lane];
    tag_end[count] = tags[lane];
  }
  return count;
#endif
}

// The largest of n values and `least`.
[[gnu::always_inline]] inline float largest(const float* values, int n, float least) {
  Floats most = splat(least);
  int i = 0;
  for (; i + kWidth <= n; i += kWidth) most = larger(most, load<Floats>(values + i));
  float found = least;
  for (int l = 0; l < kWidth; ++l) found = most[l] > found ? most[l] : found;
  for (; i < n; ++i) found = values[i] > found ? values[i] : found;
  return found;
}

// How many of n values reach a bound.
[[gnu::always_inline]] inline int count_at_least(const float* values, int n, float bound) {
  const Floats bounds = splat(bound);
  int count = 0;
  int i = 0;
  for (; i + kWidth <= n; i += kWidth) {
    count += __builtin_popcount(at_least(load<Floats>(values + i), bounds));
  }
  for (; i < n; ++i) count += values[i] >= bound;
  return count;
}

}  // namespace
}  // namespace mmi
