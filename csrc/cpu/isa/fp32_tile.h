// Scan in float32: panels of interleaved rows and a register block of their products.
//
// A bank panel holds kRows rows as [column][row], a query panel kLanes queries as [column][lane],
// so that one column of the block is kRows broadcasts times kVectors loads. The whole of d runs
// through kRows * kVectors accumulators: 24 of the 32 registers of AVX-512, 12 of the 16 of AVX2
// and SSE.
//
// The values are scaled rows in float32, so the residual is the rounding of that scaling alone.
// Products may be fused or not: the bound in core/certificate.h covers both.
#pragma once

#include "cpu/isa/simd.h"

namespace mmi {
namespace {

struct Fp32Tile {
#if defined(__AVX512F__)
  static constexpr int kRows = 8;
  static constexpr int kVectors = 3;
#elif defined(__AVX2__)
  static constexpr int kRows = 4;
  static constexpr int kVectors = 3;
#else
  static constexpr int kRows = 4;
  static constexpr int kVectors = 2;
#endif
  static constexpr int kLanes = kVectors * kWidth;
  static constexpr int kScores = kRows * kLanes;
  static constexpr int kBiasWidth = 1;
  static constexpr int kPackRows = 4;
  static constexpr int kParts = 1;  // calls of `between` that the work on one block is cut into

  using Element = float;

  static std::int64_t stride(std::int64_t d) { return d; }
  static std::int64_t bank_panel_bytes(std::int64_t d) {
    return d * kRows * static_cast<std::int64_t>(sizeof(float));
  }
  static std::int64_t query_panel_bytes(std::int64_t d) {
    return d * kLanes * static_cast<std::int64_t>(sizeof(float));
  }
  // A block of scores is kRows * kVectors vectors: the j-th belongs to this bank row of the panel
  // and to this vector of queries.
  static constexpr int row_of(int j) { return j / kVectors; }
  static constexpr int vector_of(int j) { return j % kVectors; }

  static void begin() {}
  static void end() {}

  static float scale_row(const float* from, std::int64_t d, float scale0, float scale1,
                         Element* to) {
    for (std::int64_t i = 0; i < d; ++i) to[i] = from[i] * scale0 * scale1;
    return 0.0f;
  }

  static void pack_bank(const Element* rows, int first, int count, std::int64_t d, void* panel) {
    interleave(rows, count, d, kRows, static_cast<float*>(panel) + first);
  }
  static void pack_queries(const Element* rows, int first, int count, std::int64_t d, void* panel) {
    interleave(rows, count, d, kLanes, static_cast<float*>(panel) + first);
  }

  // The block of scores of a bank panel with a query panel, each plus the bias of its bank row.
  // `between()` is work on the block before: out-of-order execution hides it behind the products.
  template <bool kBias, Stays, typename Between>
  static void multiply(const void* bank_panel, const void* query_panel, std::int64_t d,
                       const float* bias, float* scores, Between&& between) {
    const float* a = static_cast<const float*>(bank_panel);
    const float* b = static_cast<const float*>(query_panel);
    between();
    Floats sum[kRows][kVectors];
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) sum[r][v] = kBias ? splat(bias[r]) : Floats{};
    }
#pragma GCC unroll 4
    for (std::int64_t i = 0; i < d; ++i, a += kRows, b += kLanes) {
      Floats y[kVectors];
      for (int v = 0; v < kVectors; ++v) y[v] = load<Floats>(b + v * kWidth);
      for (int r = 0; r < kRows; ++r) {
        const Floats x = splat(a[r]);
        for (int v = 0; v < kVectors; ++v) sum[r][v] = multiply_add(x, y[v], sum[r][v]);
      }
    }
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) store(scores + (r * kVectors + v) * kWidth, sum[r][v]);
    }
  }

 private:
  static void interleave(const float* rows, int count, std::int64_t d, int width, float* to) {
    for (int r = 0; r < count; ++r) {
      for (std::int64_t i = 0; i < d; ++i) to[i * width + r] = rows[r * d + i];
    }
  }
};

}  // namespace
}  // namespace mmi
