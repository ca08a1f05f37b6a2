// Products of bfloat16 tiles, all eight tile registers busy. Entered only where AMX is granted.
#include <cpuid.h>
#include <immintrin.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "cpu/peak.h"

namespace mmi::peak {
namespace {

constexpr int kRows = 16;
constexpr int kTileBytes = 1024;
constexpr int kProducts = 4;                        // 2 x 2 tiles of sums
constexpr double kTileFlops = 2.0 * 16 * 16 * 32;   // 16 x 32 times 32 x 16
constexpr std::int64_t kRoundsBetweenZeros = 4096;  // sums stay far from where adding stops

struct alignas(64) TileConfig {
  std::uint8_t palette = 1;
  std::uint8_t start_row = 0;
  std::uint8_t reserved[14] = {};
  std::uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
  std::uint8_t rows[16] = {kRows, kRows, kRows, kRows, kRows, kRows, kRows, kRows};
};
static_assert(sizeof(TileConfig) == 64, "the processor reads 64 bytes");

// Static, because compilers are known to take the instruction for a reader of the first bytes only
// and to drop stores to the others.
const TileConfig kConfig;

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
  _tile_loadconfig(&kConfig);
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

bool processor_has_amx_bf16() {
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  constexpr unsigned kBf16 = 1u << 22;
  constexpr unsigned kTiles = 1u << 24;
  return (d & kBf16) != 0 && (d & kTiles) != 0;
}

}  // namespace

bool amx_granted() {
  constexpr int kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM, from Linux 5.16 on
  constexpr int kTileData = 18;
  static const bool granted =
      processor_has_amx_bf16() && syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
  return granted;
}

const Loop kAmx{kProducts * kTileFlops, run};

}  // namespace mmi::peak
