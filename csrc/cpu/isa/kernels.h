// What every instruction set offers: one table of functions per translation unit of isa/.
//
// The structures are plain views: memory belongs to the callers in cpu/, which are compiled for the
// baseline and decide on tasks, workspaces and threads.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/certificate.h"
#include "cpu/matrix.h"
#include "cpu/parallel.h"

namespace mmi {

// How rows are scaled before they are packed: to unit length, or all by the same power of two.
struct Scaling {
  bool unit;
  int exponent;  // of the power of two, if not unit
};

// A scan numbers bank rows with 25 bits.
inline constexpr std::int64_t kMostBankRows = (std::int64_t{1} << 25) - 1;

// Rows in panels, as a scan reads them.
struct PackedView {
  const std::byte* panels;
  std::int64_t rows;
  PackedBounds bounds;
  const float* bias;  // per row (repeated bias_width times, whole panels), or null
};

struct PackJob {
  MatrixView rows;  // at most one panel
  const double* squared_norms;
  Scaling scaling;
  std::byte* panel;
  double* residuals;  // out, per row
};

// One part of a panel-wise top-k search: a block of queries against a whole packed bank.
struct TopkBlock {
  MatrixView queries;
  double* query_squared;  // out
  MatrixView bank;
  const double* bank_norms;
  PackedView packed;
  int bank_exponent;  // of the power of two the bank was scaled by, if not normalize
  std::int64_t k;
  bool normalize;
  bool rescore;
  float* scores;           // out, (queries, k)
  std::int64_t* indices;   // out, (queries, k)
  std::uint8_t* overflow;  // out, per query: 1 where the caller must score every bank row
  void (*sort)(std::uint64_t* keys, std::int64_t count);  // ascending
  std::byte* workspace;
  const StopFlag* stop;
};

// The nearest bank row of every packed row, as k-means assigns them. cosine: by the listed score.
// euclidean: by dot - 0.5 * bank_squared in double. Ties go to the lowest row.
struct AssignBlock {
  MatrixView rows;
  const double* squared_norms;
  const double* norms;      // cosine only
  const double* residuals;  // as packed
  const std::byte* panels;  // of the rows, as queries
  Scaling scaling;
  MatrixView bank;
  const double* bank_squared;
  const double* bank_norms;  // cosine only
  PackedView packed;         // with a bias for the euclidean metric
  bool cosine;
  std::int64_t* labels;    // out
  std::uint8_t* overflow;  // out, per row: 1 where the caller must look at every bank row
  std::byte* workspace;
  const StopFlag* stop;
};

// All pairs of a block of queries and bank rows whose listed cosine score reaches a threshold.
struct JoinBlock {
  MatrixView queries;
  const double* query_squared;
  const double* query_norms;
  MatrixView bank;  // the part from the first panel on
  const double* bank_norms;
  PackedView packed;
  float threshold;
  // In a self-join only bank rows beyond the query's own are wanted.
  bool self_join;
  std::int64_t query_offset;  // number of the first query as a bank row of `bank`
  void* found;
  void (*emit)(void* found, std::int64_t query, std::int64_t row, float score);
  std::byte* workspace;
  const StopFlag* stop;
};

// A row to add to a sum, times a factor whose sign says whether it comes or goes.
struct ScaledRow {
  std::int64_t row;
  double factor;
};

// What topk_block did.
struct BlockStats {
  std::int64_t survivors = 0;  // bank rows that the filter kept
  std::int64_t rescored = 0;
  double seconds[4] = {};  // pack, first rows, scan, rescore
};

struct IsaKernels {
  const char* name;
  int bank_panel_rows;
  int query_panel_rows;
  int bias_width;
  std::int64_t (*bank_panel_bytes)(std::int64_t d);
  std::int64_t (*query_panel_bytes)(std::int64_t d);
  std::int64_t (*pack_scratch_bytes)(std::int64_t d);
  // squared[i] = exact_dot(row, row)
  void (*squared_norms)(const MatrixView& rows, double* squared);
  // dots[p] = exact_dot(x[p], y[p])
  void (*exact_dots)(const float* const* x, const float* const* y, std::int64_t pairs,
                     std::int64_t d, double* dots);
  // dots[j] = exact_dot(x, rows[j])
  void (*row_dots)(const float* x, const MatrixView& rows, double* dots);
  // sums[j] += nearest integer to x[row][j] * factor, for |x[row][j] * factor| < 2^62
  void (*add_rows)(const MatrixView& x, const ScaledRow* begin, const ScaledRow* end,
                   std::uint64_t* sums);
  // The bits of the largest |value| of finite values.
  std::int32_t (*largest_bits)(const float* values, std::int64_t count);
  void (*pack_bank_panel)(const PackJob& job, std::byte* scratch);
  void (*pack_query_panel)(const PackJob& job, std::byte* scratch);
  std::int64_t (*topk_workspace_bytes)(std::int64_t queries, std::int64_t bank_rows, std::int64_t d,
                                       std::int64_t k);
  BlockStats (*topk_block)(const TopkBlock& block);
  std::int64_t (*assign_workspace_bytes)(std::int64_t rows);
  void (*assign_block)(const AssignBlock& block);
  std::int64_t (*join_workspace_bytes)(std::int64_t queries, std::int64_t d);
  void (*join_block)(const JoinBlock& block);
};

}  // namespace mmi
