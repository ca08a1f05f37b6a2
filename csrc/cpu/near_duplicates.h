// near_duplicates: every pair of rows whose cosine score reaches a threshold.
//
// One call joins a window of rows with a whole bank. In a self-join the window is a part of the
// bank's own rows and a pair (i, j) is listed once, with i < j. Pairs are sorted by (i, j). Memory:
// most_pairs bounds what is collected; a window with more is refused, and the caller takes fewer
// rows at a time.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/packed_bank.h"
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
  std::int64_t first;  // i of its first row; negative if it lies before the bank
};

struct JoinResult {
  std::vector<Pair> pairs;
  bool complete;  // false: there are more than most_pairs, and none are returned
};

// `bank` is packed with normalisation.
JoinResult near_duplicates(const Window& window, const PackedBank& bank, bool self_join,
                           float threshold, std::int64_t most_pairs, const Execution& execution);

}  // namespace mmi
