#include "cpu/nearest.h"

#include <algorithm>

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
void label_overflow(const PackedRows& rows, const PackedBank& bank,
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
}

}  // namespace

PackedRows::PackedRows(const NormedRows& x, Metric metric, const Execution& execution)
    : x_(x),
      metric_(metric),
      scaling_{metric == Metric::kCosine,
               metric == Metric::kCosine ? 0 : scaling_exponent(x.squared_norms, x.rows.rows)},
      norms_(norms_of(x)) {
  panels_ = packed_panels(x, scaling_, query_side(x.rows.cols), execution);
}

const std::byte* PackedRows::panels(std::int64_t first_row) const {
  const IsaKernels& kernels = isa();
  return panels_.memory.get() +
         first_row / kernels.query_panel_rows * kernels.query_panel_bytes(x_.rows.cols);
}

void nearest(const PackedRows& rows, const MatrixView& bank_rows, std::int64_t* labels,
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
  std::vector<std::uint8_t> overflow(static_cast<std::size_t>(x.rows));
  parallel_for(workers, block_count(x.rows, size),
               [&](std::int64_t block, int worker, const StopFlag& stop) {
                 const std::int64_t begin = block * size;
                 const std::int64_t end = std::min(x.rows, begin + size);
                 kernels.assign_block(
                     {x.slice(begin, end), rows.x().squared_norms + begin, rows.norms() + begin,
                      rows.residuals() + begin, rows.panels(begin), rows.scaling(), bank.rows(),
                      bank.squared_norms(), bank.norms(), bank.view(0, bank_rows.rows), !euclidean,
                      labels + begin, overflow.data() + begin,
                      workspaces[static_cast<std::size_t>(worker)].get(), &stop});
               });
  label_overflow(rows, bank, overflow, labels, execution);
}

}  // namespace mmi
