// How many queries go through a scan together.
#pragma once

#include <algorithm>
#include <cstdint>

#include "cpu/blocks.h"
#include "cpu/isa.h"

namespace mmi {

// Packed queries fill about half of a 2 MiB L2: the rest is for bank panels and candidates. Between
// 250 and 1,100 KiB the speed differs by some percent only.
inline constexpr std::int64_t kPackedQueryBytes = 1100 * 1024;

inline constexpr std::int64_t kMostQueries = 2048;  // short rows: candidates take the memory then

// The largest block, in whole panels.
inline std::int64_t largest_query_block(std::int64_t d) {
  const IsaKernels& kernels = isa();
  const std::int64_t panels = std::min(kPackedQueryBytes / kernels.query_panel_bytes(d),
                                       kMostQueries / kernels.query_panel_rows);
  return kernels.query_panel_rows * std::max<std::int64_t>(1, panels);
}

// A block of at most `most` rows such that the blocks fill whole rounds of all threads.
inline std::int64_t even_query_block(std::int64_t rows, std::int64_t most, int threads) {
  const std::int64_t rounds = std::max<std::int64_t>(1, block_count(rows, most * threads));
  return std::min(most, rounded_up(block_count(rows, rounds * threads), isa().query_panel_rows));
}

}  // namespace mmi
