// Float32 multiply-adds in registers of 256 bits. Compiled for avx2: entered only where it is
// there.
#include <immintrin.h>

#include "cpu/peak/peak.h"

namespace mmi::peak {
namespace {

constexpr int kLanes = 8;
constexpr int kSums =
    12;  // independent chains: more than latency times units, fewer than registers

void run(std::int64_t rounds, std::uint32_t seed) {
  float values[kLanes * (kSums + 2)];
  for (float& value : values) value = next_operand(seed);
  // |scale| < 1, hence the sums stay near shift / (1 - scale).
  const __m256 scale = _mm256_mul_ps(_mm256_loadu_ps(values), _mm256_set1_ps(0.5f));
  const __m256 shift = _mm256_loadu_ps(values + kLanes);
  __m256 sums[kSums];
  for (int i = 0; i < kSums; ++i) sums[i] = _mm256_loadu_ps(values + kLanes * (i + 2));
  for (std::int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kSums; ++i) sums[i] = _mm256_fmadd_ps(sums[i], scale, shift);
  }
  for (int i = 0; i < kSums; ++i) _mm256_storeu_ps(values + kLanes * i, sums[i]);
  keep(values);
}

}  // namespace

const Loop kAvx2{2.0 * kLanes * kSums, run};

}  // namespace mmi::peak
