// Philox4x32-10: random numbers as a pure function of (seed, draw, row).
//
// Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011). The seed is
// the key, (row, draw) is the counter, so any thread, rank or device can compute any number without
// a state to share. Known answers are checked by the tests.
#pragma once

#include <cstdint>

#include "core/host_device.h"

namespace mmi {

struct PhiloxBlock {
  std::uint32_t word[4];
};

MMI_HD inline PhiloxBlock philox4x32_10(PhiloxBlock counter, std::uint32_t key0,
                                        std::uint32_t key1) {
  constexpr std::uint64_t kMultiplier0 = 0xD2511F53u;
  constexpr std::uint64_t kMultiplier1 = 0xCD9E8D57u;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = kMultiplier0 * counter.word[0];
    const std::uint64_t p1 = kMultiplier1 * counter.word[2];
    counter = {{static_cast<std::uint32_t>(p1 >> 32) ^ counter.word[1] ^ key0,
                static_cast<std::uint32_t>(p1),
                static_cast<std::uint32_t>(p0 >> 32) ^ counter.word[3] ^ key1,
                static_cast<std::uint32_t>(p0)}};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return counter;
}

// 64 uniform bits: words 0 (low) and 1 (high) of the block at counter (row, draw).
MMI_HD inline std::uint64_t random_bits(std::uint64_t seed, std::uint64_t draw, std::uint64_t row) {
  const PhiloxBlock counter = {
      {static_cast<std::uint32_t>(row), static_cast<std::uint32_t>(row >> 32),
       static_cast<std::uint32_t>(draw), static_cast<std::uint32_t>(draw >> 32)}};
  const PhiloxBlock block = philox4x32_10(counter, static_cast<std::uint32_t>(seed),
                                          static_cast<std::uint32_t>(seed >> 32));
  return block.word[0] | static_cast<std::uint64_t>(block.word[1]) << 32;
}

// floor(a * b / 2^64) from 32-bit halves: maps 64 uniform bits onto [0, b).
MMI_HD inline std::uint64_t multiply_high(std::uint64_t a, std::uint64_t b) {
  constexpr std::uint64_t kLow = 0xFFFFFFFFu;
  const std::uint64_t low_low = (a & kLow) * (b & kLow);
  const std::uint64_t high_low = (a >> 32) * (b & kLow);
  const std::uint64_t low_high = (a & kLow) * (b >> 32);
  const std::uint64_t carry = ((low_low >> 32) + (high_low & kLow) + (low_high & kLow)) >> 32;
  return (a >> 32) * (b >> 32) + (high_low >> 32) + (low_high >> 32) + carry;
}

}  // namespace mmi
