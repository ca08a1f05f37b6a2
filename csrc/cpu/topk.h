// Exact top-k through a filter: for every query the k bank rows with the highest score.
//
// A scan at the speed of the matrix unit finds the few rows that may belong to a list, with a
// proved bound (core/certificate.h); those are scored in float64. The result is that of exact_topk,
// bit for bit, for any instruction set, number of threads and cut into blocks.
//
// Cost: one pass over the bank per block of queries that fits L2, and about 2 k dots in float64 per
// query. Not handled: banks of 2^25 rows or more, which the caller cuts.
#pragma once

#include <cstdint>

#include "cpu/exact_topk.h"
#include "cpu/packed_bank.h"

namespace mmi {

struct TopkStats {
  std::int64_t survivors = 0;      // bank rows that the filter kept, over all queries
  std::int64_t rescored = 0;       // of them, scored in float64
  std::int64_t overflow_rows = 0;  // queries that were scored against the whole bank instead
  double pack_seconds = 0;         // of the queries; seconds are summed over threads
  double prime_seconds = 0;
  double scan_seconds = 0;
  double rescore_seconds = 0;
  std::int64_t bad_row = -1;  // the first query that is not finite; then there is no result
};

// rescore = false ranks by the scores of the scan: fast, inexact.
TopkStats filtered_topk(const MatrixView& queries, const PackedBank& bank, std::int64_t k,
                        bool rescore, const TopkOutput& output, const Execution& execution);

// What a block search is given to order long lists with.
void sort_keys(std::uint64_t* keys, std::int64_t count);

}  // namespace mmi
