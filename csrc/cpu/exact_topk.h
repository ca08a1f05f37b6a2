// Top-k by scoring every pair in float64: for a few queries, for k close to the size of the bank,
// and for the queries that the filtered search of topk.h gives up.
//
// Score: fl32(dot / (norm_q * norm_b)), or fl32(dot) without normalisation (core/ordering.h).
// Order: score descending, then index ascending. Requires 1 <= k <= bank.rows and finite rows.
// The result is a pure function of the inputs: each list depends on one query and the whole bank.
#pragma once

#include <cstdint>

#include "cpu/parallel.h"
#include "cpu/scores.h"

namespace mmi {

struct TopkOutput {  // both row-major (queries, k)
  float* scores;
  std::int64_t* indices;
};

void exact_topk(const NormedRows& queries, const NormedRows& bank, std::int64_t k, bool normalize,
                const TopkOutput& output, const Execution& execution);

}  // namespace mmi
