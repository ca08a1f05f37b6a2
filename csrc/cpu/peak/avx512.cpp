// Float32 multiply-adds in registers of 512 bits. Compiled for avx512: entered only where it is
// there.
#include <immintrin.h>

#include "cpu/peak/peak.h"

namespace mmi::peak {
namespace {

constexpr int kLanes = 16;
constexpr int kSums =
    24;  // independent chains: more than latency times units, fewer than registers

void run(std::int64_t rounds, std::uint32_t seed) {
  float values[kLanes * (kSums + 2)];
  for (float& value : values) value = next_operand(seed);
  // |scale| < 1, hence the sums stay near shift / (1 - scale).
  const __m512 scale = _mm512_mul_ps(_mm512_loadu_ps(values), _mm512_set1_ps(0.5f));
  const __m512 shift = _mm512_loadu_ps(values + kLanes);
  __m512 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm512_loadu_ps(values + kLanes * (i + 2));
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 24
    for (int i = 0; i < kSums; ++i) sums[i] = _mm512_fmadd_ps(sums[i], scale, shift);
  }
  for (int i = 0; i < kSums; ++i) _mm512_storeu_ps(values + kLanes * i, sums[i]);
  keep(values);
}

}  // namespace

const Loop kAvx512{2.0 * kLanes * kSums, run};

}  // namespace mmi::peak
