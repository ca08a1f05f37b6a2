// Eight tile registers of 16 rows of 64 bytes. The configuration belongs to a thread.
#pragma once

#include <cstdint>

namespace mmi {
namespace {

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
};
static_assert(sizeof(TileConfig) == 64, "the processor reads 64 bytes");

// Spelled in assembly: g++ 12 takes its intrinsic for a reader of the first bytes only and drops
// the stores to the others.
inline void configure_tiles() {
  static constexpr TileConfig kConfig;
  asm volatile("ldtilecfg %0" : : "m"(kConfig) : "memory");
}

}  // namespace
}  // namespace mmi
