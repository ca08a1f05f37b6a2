// What the arithmetic units of this machine can do, measured: the yardstick of the benchmarks.
//
// Operands are random and stay in registers, so memory plays no part. They are not zeros: with
// zeros a matrix unit draws less power and reports a quarter more than any real data will see.
#pragma once

#include <cstdint>
#include <string>

#include "cpu/parallel.h"

namespace mmi {

// Sustained GFLOP/s of all threads together: the best of several windows of `seconds` in all.
// kind: "avx2" or "avx512" (float32 multiply-adds), "amx" (bfloat16 tiles). 0 where the processor,
// the operating system or the compiler does not have it; std::invalid_argument for another kind.
double peak_gflops(const std::string& kind, double seconds, const Execution& execution);

namespace peak {

// A loop over one instruction set, each in a file of its own that is compiled for it: `run` does
// `rounds` rounds of flops_per_round on operands derived from `seed`.
struct Loop {
  double flops_per_round;
  void (*run)(std::int64_t rounds, std::uint32_t seed);
};
extern const Loop kAvx2;
extern const Loop kAvx512;
extern const Loop kAmx;

// Inlined always, because the loops are compiled for different instruction sets.
//
// A number in [-1, 1) that is never 0; the next call gives another one.
[[gnu::always_inline]] inline float next_operand(std::uint32_t& state) {
  state = state * 1664525u + 1013904223u;
  return static_cast<float>(static_cast<std::int32_t>(state | 256u)) * 0x1p-31f;
}

// Where the loops leave their sums, so that no compiler may drop them.
[[gnu::always_inline]] inline void keep(const void* values) {
  asm volatile("" : : "r"(values) : "memory");
}

}  // namespace peak
}  // namespace mmi
