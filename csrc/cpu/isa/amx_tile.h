// Scan in bfloat16 on the matrix unit: 2 x 2 tiles, 32 bank rows by 32 queries.
//
// Layout. One k-step covers 32 columns and takes 2 KiB of a panel. Bank (operand A): two tiles of
// 16 rows x 64 bytes. Queries (operand B): two tiles of 16 column pairs x 16 queries. Queries are
// the columns of a product, so one vector holds the scores of 16 queries with one bank row, and one
// vector of thresholds serves a whole tile.
//
// Caches. A bank panel of d = 768 fills the 48 KiB of L1 alone, so the query panels stream past it
// with non-temporal loads out of L2, and so do the last k-steps of the bank panel: what is read
// again soon stays. Measured against plain loads: about 1.3 times as fast.
#pragma once

#include <immintrin.h>

#include "cpu/blocks.h"
#include "cpu/isa/simd.h"
#include "cpu/isa/tile_config.h"

namespace mmi {
namespace {

struct AmxTile {
  static constexpr int kHalf = 16;
  static constexpr int kRows = 2 * kHalf;
  static constexpr int kLanes = 2 * kHalf;
  static constexpr int kVectors = 2;
  static constexpr int kScores = kRows * kLanes;
  static constexpr int kStepColumns = 32;
  static constexpr int kTileBytes = 1024;
  static constexpr int kStepBytes = 2 * kTileBytes;
  static constexpr int kCachedSteps = 20;   // 40 KiB of a bank panel stay in L1
  static constexpr int kBiasWidth = kHalf;  // a bias is the same for all queries of a tile
  static constexpr int kPackRows = kHalf;   // rows that are packed at once: 24 KiB at d = 768
  static constexpr int kParts = 8;  // calls of `between` that the work on one block is cut into

  using Element = std::uint16_t;  // the bits of a bfloat16

  static std::int64_t steps(std::int64_t d) { return block_count(d, kStepColumns); }
  static std::int64_t stride(std::int64_t d) { return steps(d) * kStepColumns; }
  static std::int64_t bank_panel_bytes(std::int64_t d) { return steps(d) * kStepBytes; }
  static std::int64_t query_panel_bytes(std::int64_t d) { return steps(d) * kStepBytes; }
  // A block of scores is kRows * kVectors vectors, tile by tile: the j-th belongs to this bank row
  // of the panel and to this vector of queries.
  static constexpr int row_of(int j) { return j / (2 * kHalf) * kHalf + j % kHalf; }
  static constexpr int vector_of(int j) { return j / kHalf % 2; }

  static void begin() { configure_tiles(); }
  static void end() { _tile_release(); }

  // to[i] = bfloat16(from[i] * scale0 * scale1), zeros up to a whole k-step. Returns the float32
  // sum of the squared differences that the rounding made.
  static float scale_row(const float* from, std::int64_t d, float scale0, float scale1,
                         Element* to) {
    const __m512 factor0 = _mm512_set1_ps(scale0);
    const __m512 factor1 = _mm512_set1_ps(scale1);
    __m512 lost0 = _mm512_setzero_ps();
    __m512 lost1 = _mm512_setzero_ps();
    for (std::int64_t i = 0; i < d; i += kStepColumns) {
      const std::int64_t left = d - i;
      const __mmask32 mask = left >= kStepColumns ? ~0u : (1u << left) - 1;
      const __m512 low = _mm512_mul_ps(
          _mm512_mul_ps(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask), from + i), factor0),
          factor1);
      const __m512 high = _mm512_mul_ps(
          _mm512_mul_ps(_mm512_maskz_loadu_ps(static_cast<__mmask16>(mask >> 16), from + i + 16),
                        factor0),
          factor1);
      const __m512i pairs = reinterpret_cast<__m512i>(_mm512_cvtne2ps_pbh(high, low));
      _mm512_storeu_si512(to + i, pairs);
      const __m512 low_lost = _mm512_sub_ps(low, widened_bfloats(_mm512_castsi512_si256(pairs)));
      const __m512 high_lost =
          _mm512_sub_ps(high, widened_bfloats(_mm512_extracti64x4_epi64(pairs, 1)));
      lost0 = _mm512_fmadd_ps(low_lost, low_lost, lost0);
      lost1 = _mm512_fmadd_ps(high_lost, high_lost, lost1);
    }
    return _mm512_reduce_add_ps(_mm512_add_ps(lost0, lost1));
  }

  // rows: `count` scaled rows, `stride(d)` elements apart. The rest of the panel becomes zero.
  static void pack_bank(const Element* rows, int first, int count, std::int64_t d, void* panel) {
    for (int r = 0; r < count; ++r) {
      char* to = static_cast<char*>(panel) + ((first + r) / kHalf) * kTileBytes +
                 ((first + r) % kHalf) * 64;
      const Element* from = rows + r * stride(d);
      for (std::int64_t step = 0; step < steps(d); ++step, to += kStepBytes) {
        _mm512_store_si512(to, _mm512_loadu_si512(from + step * kStepColumns));
      }
    }
  }

  static void pack_queries(const Element* rows, int first, int count, std::int64_t d, void* panel) {
    char* to = static_cast<char*>(panel) + (first / kHalf) * kTileBytes;
    for (std::int64_t step = 0; step < steps(d); ++step, to += kStepBytes) {
      __m512i pairs[kHalf];
      for (int q = 0; q < kHalf; ++q) {
        pairs[q] = q < count ? _mm512_loadu_si512(rows + q * stride(d) + step * kStepColumns)
                             : _mm512_setzero_si512();
      }
      transpose(pairs);
      for (int pair = 0; pair < kHalf; ++pair) _mm512_store_si512(to + pair * 64, pairs[pair]);
    }
  }

  // The block of scores of a bank panel with a query panel, each plus the bias of its bank row.
  // `between()` is work on the block before, done in the shadow of the tile products.
  template <bool kBias, Stays stays, typename Between>
  static void multiply(const void* bank_panel, const void* query_panel, std::int64_t d,
                       const float* bias, float* scores, Between&& between) {
    const char* a = static_cast<const char*>(bank_panel);
    const char* b = static_cast<const char*>(query_panel);
    const std::int64_t count = steps(d);
    const std::int64_t cached = count < kCachedSteps ? count : kCachedSteps;
    start<kBias>(bias);
    std::int64_t step = 0;
    for (; step < cached; ++step, a += kStepBytes, b += kStepBytes) {
      multiply_step<stays == Stays::kBank, stays == Stays::kQueries>(a, b);
      between();
    }
    for (; step < count; ++step, a += kStepBytes, b += kStepBytes) {
      multiply_step<false, false>(a, b);
    }
    _tile_stored(0, scores, 64);
    _tile_stored(1, scores + 256, 64);
    _tile_stored(2, scores + 512, 64);
    _tile_stored(3, scores + 768, 64);
  }

 private:
  template <bool kBias>
  [[gnu::always_inline]] static void start(const float* bias) {
    if constexpr (kBias) {
      _tile_loadd(0, bias, 64);
      _tile_loadd(1, bias, 64);
      _tile_loadd(2, bias + 256, 64);
      _tile_loadd(3, bias + 256, 64);
    } else {
      _tile_zero(0);
      _tile_zero(1);
      _tile_zero(2);
      _tile_zero(3);
    }
  }

  template <bool kBankStays, bool kQueriesStay>
  [[gnu::always_inline]] static void multiply_step(const char* a, const char* b) {
    if constexpr (kBankStays)
      _tile_loadd(4, a, 64);
    else
      _tile_stream_loadd(4, a, 64);
    if constexpr (kQueriesStay)
      _tile_loadd(6, b, 64);
    else
      _tile_stream_loadd(6, b, 64);
    _tile_dpbf16ps(0, 4, 6);
    if constexpr (kQueriesStay)
      _tile_loadd(7, b + kTileBytes, 64);
    else
      _tile_stream_loadd(7, b + kTileBytes, 64);
    _tile_dpbf16ps(1, 4, 7);
    if constexpr (kBankStays)
      _tile_loadd(5, a + kTileBytes, 64);
    else
      _tile_stream_loadd(5, a + kTileBytes, 64);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }

  [[gnu::always_inline]] static __m512 widened_bfloats(__m256i bits) {
    return _mm512_castsi512_ps(_mm512_slli_epi32(_mm512_cvtepu16_epi32(bits), 16));
  }

  // 16 x 16 dwords in registers.
  [[gnu::always_inline]] static void transpose(__m512i (&x)[16]) {
    __m512i y[16];
    for (int i = 0; i < 16; i += 2) {
      y[i] = _mm512_unpacklo_epi32(x[i], x[i + 1]);
      y[i + 1] = _mm512_unpackhi_epi32(x[i], x[i + 1]);
    }
    for (int i = 0; i < 16; i += 4) {
      x[i] = _mm512_unpacklo_epi64(y[i], y[i + 2]);
      x[i + 1] = _mm512_unpackhi_epi64(y[i], y[i + 2]);
      x[i + 2] = _mm512_unpacklo_epi64(y[i + 1], y[i + 3]);
      x[i + 3] = _mm512_unpackhi_epi64(y[i + 1], y[i + 3]);
    }
    for (int i = 0; i < 4; ++i) {
      y[i] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0x88);
      y[i + 4] = _mm512_shuffle_i32x4(x[i], x[i + 4], 0xdd);
      y[i + 8] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0x88);
      y[i + 12] = _mm512_shuffle_i32x4(x[i + 8], x[i + 12], 0xdd);
    }
    for (int i = 0; i < 4; ++i) {
      x[i] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0x88);
      x[i + 8] = _mm512_shuffle_i32x4(y[i], y[i + 8], 0xdd);
      x[i + 4] = _mm512_shuffle_i32x4(y[i + 4], y[i + 12], 0x88);
      x[i + 12] = _mm512_shuffle_i32x4(y[i + 4], y[i + 12], 0xdd);
    }
  }
};

}  // namespace
}  // namespace mmi
