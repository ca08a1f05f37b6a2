// Scaling rows and packing them into the panels of a tile.
#pragma once

#include <cmath>
#include <cstring>

#include "cpu/isa/kernels.h"

namespace mmi {
namespace {

struct RowScale {
  float first;
  float second;
};

// Powers of two from 2^-126 to 2^127, without a call into libm.
[[gnu::always_inline]] inline float power_of_two(int exponent) {
  const std::uint32_t bits = static_cast<std::uint32_t>(exponent + 127) << 23;
  float value;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

[[gnu::always_inline]] inline RowScale split_power(int exponent) {
  return {power_of_two(exponent / 2), power_of_two(exponent - exponent / 2)};
}

// Two factors, because the norm of a float32 row may lie outside the range of float32. The first is
// a power of two, so only the second rounds.
[[gnu::always_inline]] inline RowScale unit_scale(double squared_norm) {
  if (squared_norm == 0.0) return {1.0f, 1.0f};
  const double norm = __builtin_sqrt(squared_norm);
  std::uint64_t bits;
  __builtin_memcpy(&bits, &norm, sizeof bits);
  const int exponent = static_cast<int>(bits >> 52) - 1023;
  const float first = power_of_two(-exponent / 2);
  return {first, static_cast<float>(1.0 / (norm * static_cast<double>(first)))};
}

[[gnu::always_inline]] inline RowScale scale_of(const Scaling& scaling, double squared_norm) {
  return scaling.unit ? unit_scale(squared_norm) : split_power(scaling.exponent);
}

// An upper bound of the scaled row's norm.
[[gnu::always_inline]] inline double scaled_norm(const Scaling& scaling, double squared_norm) {
  if (scaling.unit) return squared_norm == 0.0 ? 0.0 : 1.0 + 0x1p-40;
  const RowScale scale = split_power(scaling.exponent);
  return __builtin_sqrt(squared_norm) * static_cast<double>(scale.first) *
         static_cast<double>(scale.second) * (1.0 + 0x1p-40);
}

template <typename Tile>
std::int64_t pack_scratch_bytes(std::int64_t d) {
  return Tile::kPackRows * Tile::stride(d) *
         static_cast<std::int64_t>(sizeof(typename Tile::Element));
}

enum class Side { kBank, kQueries };

template <typename Tile, Side side>
void pack_panel(const PackJob& job, std::byte* scratch) {
  constexpr int kPanelRows = side == Side::kBank ? Tile::kRows : Tile::kLanes;
  const std::int64_t d = job.rows.cols;
  auto* scaled = reinterpret_cast<typename Tile::Element*>(scratch);
  const int count = static_cast<int>(job.rows.rows);
  if (count < kPanelRows) {
    std::memset(job.panel, 0,
                static_cast<std::size_t>(side == Side::kBank ? Tile::bank_panel_bytes(d)
                                                             : Tile::query_panel_bytes(d)));
  }
  for (int first = 0; first < count; first += Tile::kPackRows) {
    const int rows = count - first < Tile::kPackRows ? count - first : Tile::kPackRows;
    for (int r = 0; r < rows; ++r) {
      const double squared = job.squared_norms[first + r];
      const RowScale scale = scale_of(job.scaling, squared);
      const float lost = Tile::scale_row(job.rows.row(first + r), d, scale.first, scale.second,
                                         scaled + r * Tile::stride(d));
      job.residuals[first + r] =
          certificate::residual_bound(lost, scaled_norm(job.scaling, squared), d);
    }
    if constexpr (side == Side::kBank) {
      Tile::pack_bank(scaled, first, rows, d, job.panel);
    } else {
      Tile::pack_queries(scaled, first, rows, d, job.panel);
    }
  }
}

}  // namespace
}  // namespace mmi
