// Products of bfloat16 tiles, all eight tile registers busy. Entered only where AMX is granted.
#include <immintrin.h>

#include <cstring>

#include "cpu/isa/tile_config.h"
#include "cpu/peak/peak.h"

namespace mmi::peak {
namespace {

constexpr int kTileBytes = 1024;
constexpr int kProducts = 4;                        // 2 x 2 tiles of sums
constexpr double kTileFlops = 2.0 * 16 * 16 * 32;   // 16 x 32 times 32 x 16
constexpr std::int64_t kRoundsBetweenZeros = 4096;  // sums stay far from where adding stops

void fill(std::uint16_t* tile, std::uint32_t& seed) {
  for (int i = 0; i < kTileBytes / 2; ++i) {
    const float value = next_operand(seed);
    std::uint32_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    tile[i] = static_cast<std::uint16_t>(bits >> 16);
  }
}

void zero_sums() {
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
}

void run(std::int64_t rounds, std::uint32_t seed) {
  alignas(64) std::uint16_t operands[4][kTileBytes / 2];
  alignas(64) float sums[kTileBytes / 4];
  for (auto& tile : operands) fill(tile, seed);
  configure_tiles();
  _tile_loadd(4, operands[0], 64);
  _tile_loadd(5, operands[1], 64);
  _tile_loadd(6, operands[2], 64);
  _tile_loadd(7, operands[3], 64);
  for (std::int64_t round = 0; round < rounds; ++round) {
    if (round % kRoundsBetweenZeros == 0) zero_sums();
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  _tile_stored(0, sums, 64);
  keep(sums);
  _tile_release();
}

}  // namespace

const Loop kAmx{kProducts * kTileFlops, run};

}  // namespace mmi::peak
