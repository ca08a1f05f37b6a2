// near_duplicates: every pair of rows whose cosine score reaches a threshold.
//
// One call joins a window of rows with a whole bank. In a self-join the window is a part of the
// bank itself and a pair (i, j) is listed once, with i < j. Pairs are sorted by (i, j). Memory: at
// most window.rows * bank.rows pairs, so the caller bounds it by the window.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/parallel.h"
#include "cpu/scores.h"

namespace mmi {

struct Pair {
  std::int64_t i;
  std::int64_t j;
  float score;
};

struct Window {
  NormedRows rows;
  std::int64_t first;  // i of its first row
};

std::vector<Pair> near_duplicates(const Window& window, const NormedRows& bank, bool self_join,
                                  float threshold, const Execution& execution);

}  // namespace mmi
