// Exact dots of a block of rows with a whole bank, for what no filter has to see.
//
// visit(i, j, dot) is called once for every pair, i relative to the block, j relative to the bank,
// and j ascending for each i. kRowBlock rows and a bank block of kBankBlockBytes stay in L2
// together.
//
// Cost: rows * bank.rows * d multiply-adds in double.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/blocks.h"
#include "cpu/isa.h"
#include "cpu/matrix.h"
#include "cpu/parallel.h"

namespace mmi {

inline constexpr std::int64_t kRowBlock = 48;
inline constexpr std::int64_t kBankBlockBytes = 512 * 1024;
inline constexpr std::int64_t kMostBankBlock = 1024;

template <typename Visit>
void scan_block(const MatrixView& rows, const MatrixView& bank, const StopFlag& stop,
                Visit&& visit) {
  const std::int64_t row_bytes = rows.cols * static_cast<std::int64_t>(sizeof(float));
  const std::int64_t step =
      std::clamp<std::int64_t>(kBankBlockBytes / row_bytes, 8, kMostBankBlock);
  double dots[kMostBankBlock];
  for (std::int64_t begin = 0; begin < bank.rows; begin += step) {
    const MatrixView block = bank.slice(begin, std::min(bank.rows, begin + step));
    for (std::int64_t i = 0; i < rows.rows; ++i) {
      stop.leave_if_set();
      isa().row_dots(rows.row(i), block, dots);
      for (std::int64_t j = 0; j < block.rows; ++j) visit(i, begin + j, dots[j]);
    }
  }
}

}  // namespace mmi
