// The inner loop of every kernel: exact dots of a block of rows with a bank, block by block.
//
// Inputs: rows and bank in float32, row-major, d columns. visit(i, j, dot) is called once for every
// pair, i relative to the block, j relative to the bank, and j ascending for each i.
//
// Layout: float32 is widened to float64 once per block, padded with zeros to a multiple of 8 values
// and to whole tiles of rows. kRowBlock rows of up to a few KiB and a bank block of kBankBlockBytes
// stay in L2 together, while the rows of one tile stay in L1. Widening a bank block costs about
// 1 / kRowBlock of multiplying it.
//
// Cost: rows * bank.rows * d multiply-adds in double. Not handled: instruction sets beyond the
// compiler's baseline, and any filter that would skip pairs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "core/exact_dot.h"
#include "cpu/blocks.h"
#include "cpu/matrix.h"
#include "cpu/parallel.h"

namespace mmi {

inline constexpr std::int64_t kRowBlock = 48;
inline constexpr std::int64_t kBankBlockBytes = 512 * 1024;

// 3 x 2 dots at a time, four of the eight lanes in each of two passes: 12 accumulators of two lanes
// leave 4 of the 16 SSE registers for operands. Eight lanes at once would spill.
inline constexpr int kTileRows = 3;
inline constexpr int kTileBank = 2;
static_assert(kRowBlock % kTileRows == 0, "a full block is made of whole tiles");

// One per worker, reused from task to task.
struct ScanScratch {
  std::vector<double> rows;
  std::vector<double> bank;
};

// float64 rows, padded with zero values to whole lanes and with zero rows to a multiple of `tile`.
inline void widen_rows(const MatrixView& source, int tile, std::vector<double>& wide) {
  const std::int64_t stride = padded_length(source.cols);
  wide.assign(static_cast<std::size_t>(block_count(source.rows, tile) * tile * stride), 0.0);
  for (std::int64_t i = 0; i < source.rows; ++i) {
    std::copy_n(source.row(i), source.cols, wide.data() + i * stride);
  }
}

// Two neighbouring lanes: a vector extension of g++ and clang that every target can lower.
using LanePair = double __attribute__((vector_size(2 * sizeof(double))));

inline LanePair load_pair(const double* from) {
  LanePair pair;
  std::memcpy(&pair, from, sizeof pair);
  return pair;
}

struct TileDots {
  double dot[kTileRows][kTileBank];
};

// exact_dot of each of kTileRows rows with each of kTileBank bank rows, all `stride` values long.
inline TileDots dot_tile(const double* rows, const double* bank, std::int64_t stride) {
  constexpr int kPairs = 2;  // per pass
  double lane[kTileRows][kTileBank][kLanes];
  for (int first = 0; first < kLanes; first += 2 * kPairs) {
    LanePair sum[kTileRows][kTileBank][kPairs] = {};
    for (std::int64_t i = first; i < stride; i += kLanes) {
      for (int p = 0; p < kPairs; ++p) {
        LanePair x[kTileRows];
        for (int r = 0; r < kTileRows; ++r) x[r] = load_pair(rows + r * stride + i + 2 * p);
        for (int b = 0; b < kTileBank; ++b) {
          const LanePair y = load_pair(bank + b * stride + i + 2 * p);
          for (int r = 0; r < kTileRows; ++r) sum[r][b][p] += x[r] * y;
        }
      }
    }
    for (int r = 0; r < kTileRows; ++r) {
      for (int b = 0; b < kTileBank; ++b) {
        std::memcpy(&lane[r][b][first], sum[r][b], sizeof sum[r][b]);
      }
    }
  }
  TileDots dots;
  for (int r = 0; r < kTileRows; ++r) {
    for (int b = 0; b < kTileBank; ++b) dots.dot[r][b] = fold_lanes(lane[r][b]);
  }
  return dots;
}

template <typename Visit>
void scan_block(const MatrixView& rows, const MatrixView& bank, ScanScratch& scratch,
                const StopFlag& stop, Visit&& visit) {
  const std::int64_t stride = padded_length(rows.cols);
  const std::int64_t bank_block = std::max<std::int64_t>(
      kTileBank, kBankBlockBytes / (stride * static_cast<std::int64_t>(sizeof(double))));
  widen_rows(rows, kTileRows, scratch.rows);
  for (std::int64_t begin = 0; begin < bank.rows; begin += bank_block) {
    stop.leave_if_set();
    const std::int64_t columns = std::min(bank_block, bank.rows - begin);
    widen_rows(bank.slice(begin, begin + columns), kTileBank, scratch.bank);
    for (std::int64_t i = 0; i < rows.rows; i += kTileRows) {
      const std::int64_t real_rows = std::min<std::int64_t>(kTileRows, rows.rows - i);
      for (std::int64_t j = 0; j < columns; j += kTileBank) {
        const std::int64_t real_columns = std::min<std::int64_t>(kTileBank, columns - j);
        const TileDots dots =
            dot_tile(scratch.rows.data() + i * stride, scratch.bank.data() + j * stride, stride);
        for (std::int64_t r = 0; r < real_rows; ++r) {
          for (std::int64_t b = 0; b < real_columns; ++b) {
            visit(i + r, begin + j + b, dots.dot[r][b]);
          }
        }
      }
    }
  }
}

}  // namespace mmi
