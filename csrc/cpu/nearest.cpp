#include "cpu/nearest.h"

#include <algorithm>
#include <cmath>

#include "cpu/exact_nearest.h"
#include "cpu/gathered_rows.h"
#include "cpu/packed_bank.h"
#include "cpu/query_blocks.h"
#include "cpu/scratch.h"
#include "cpu/squared_norms.h"

namespace mmi {
namespace {

std::vector<double> squared_norms_of_bank(const MatrixView& bank, const Execution& execution) {
  std::vector<double> squared(static_cast<std::size_t>(bank.rows));
  squared_norms(bank, squared.data(), execution);
  return squared;
}

// Rows without a label are looked up against the whole bank, gathered some thousand at a time.
std::int64_t label_overflow(const PackedRows& rows, const PackedBank& bank,
                            const std::vector<std::uint8_t>& overflow, std::int64_t* labels,
                            const Execution& execution) {
  const MatrixView& x = rows.x().rows;
  std::vector<std::int64_t> open;
  for (std::int64_t i = 0; i < x.rows; ++i) {
    if (overflow[i]) open.push_back(i);
  }
  const auto count = static_cast<std::int64_t>(open.size());
  const std::int64_t batch = gathered_rows(x.cols);
  for (std::int64_t begin = 0; begin < count; begin += batch) {
    const GatheredRows some(rows.x(), open.data() + begin, std::min(batch, count - begin));
    std::vector<std::int64_t> found(static_cast<std::size_t>(some.count()));
    exact_nearest(some.rows(), {bank.rows(), bank.squared_norms()}, rows.metric(), found.data(),
                  execution);
    for (std::int64_t i = 0; i < some.count(); ++i) labels[open[begin + i]] = found[i];
  }
  return count;
}

}  // namespace

PackedRows::PackedRows(const NormedRows& x, Metric metric, const Execution& execution)
    : x_(x),
      metric_(metric),
      scaling_{metric == Metric::kCosine,
               metric == Metric::kCosine ? 0 : scaling_exponent(x.squared_norms, x.rows.rows)},
      norms_(norms_of(x)) {
  const IsaKernels& kernels = isa();
  const std::int64_t panel_rows = kernels.query_panel_rows;
  const std::int64_t panels = block_count(x.rows.rows, panel_rows);
  const std::int64_t panel_bytes = kernels.query_panel_bytes(x.rows.cols);
  residuals_.resize(static_cast<std::size_t>(panels * panel_rows));
  bytes_ = panels * panel_bytes;
  panels_ = aligned_bytes(bytes_);
  constexpr std::int64_t kPanelsPerTask = 16;
  parallel_for(
      execution, block_count(panels, kPanelsPerTask),
      [&](std::int64_t task, int, const StopFlag& stop) {
        const AlignedBytes scratch = aligned_bytes(kernels.pack_scratch_bytes(x.rows.cols));
        const std::int64_t end = std::min(panels, (task + 1) * kPanelsPerTask);
        for (std::int64_t p = task * kPanelsPerTask; p < end; ++p) {
          stop.leave_if_set();
          const std::int64_t first = p * panel_rows;
          const std::int64_t past = std::min(x.rows.rows, first + panel_rows);
          kernels.pack_query_panel({x.rows.slice(first, past), x.squared_norms + first, scaling_,
                                    panels_.get() + p * panel_bytes, residuals_.data() + first},
                                   scratch.get());
        }
      });
}

const std::byte* PackedRows::panels(std::int64_t first_row) const {
  const IsaKernels& kernels = isa();
  return panels_.get() +
         first_row / kernels.query_panel_rows * kernels.query_panel_bytes(x_.rows.cols);
}

NearestStats nearest(const PackedRows& rows, const MatrixView& bank_rows, std::int64_t* labels,
                     const Execution& execution) {
  const IsaKernels& kernels = isa();
  const MatrixView& x = rows.x().rows;
  const bool euclidean = rows.metric() == Metric::kEuclidean;
  const PackedBank bank(bank_rows, squared_norms_of_bank(bank_rows, execution), rows.scaling(),
                        euclidean, execution);
  const std::int64_t size =
      even_query_block(x.rows, largest_query_block(x.cols), execution.threads());
  const Execution workers = execution.limited(block_count(x.rows, size));
  std::vector<Scratch> workspaces;
  for (int worker = 0; worker < workers.threads(); ++worker) {
    workspaces.emplace_back(kernels.assign_workspace_bytes(size));
  }
  std::vector<BlockStats> stats(static_cast<std::size_t>(workers.threads()));
  std::vector<std::uint8_t> overflow(static_cast<std::size_t>(x.rows));
  parallel_for(workers, block_count(x.rows, size),
               [&](std::int64_t block, int worker, const StopFlag& stop) {
                 const std::int64_t begin = block * size;
                 const std::int64_t end = std::min(x.rows, begin + size);
                 const BlockStats done = kernels.assign_block(
                     {x.slice(begin, end), rows.x().squared_norms + begin, rows.norms() + begin,
                      rows.residuals() + begin, rows.panels(begin), rows.scaling(), bank.rows(),
                      bank.squared_norms(), bank.norms(), bank.view(0, bank_rows.rows), !euclidean,
                      labels + begin, overflow.data() + begin,
                      workspaces[static_cast<std::size_t>(worker)].get(), &stop});
                 stats[static_cast<std::size_t>(worker)].rescored += done.rescored;
               });
  NearestStats sum;
  for (const BlockStats& worker : stats) sum.rescored += worker.rescored;
  sum.overflow_rows = label_overflow(rows, bank, overflow, labels, execution);
  return sum;
}

}  // namespace mmi
