#include "cpu/absolute_maximum.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "cpu/blocks.h"
#include "cpu/isa.h"

namespace mmi {
namespace {

constexpr std::int64_t kRowsPerTask = 1024;

}  // namespace

double absolute_maximum(const MatrixView& x, const Execution& execution) {
  const std::int64_t tasks = block_count(x.rows, kRowsPerTask);
  std::vector<std::int32_t> maxima(static_cast<std::size_t>(tasks));
  parallel_for(execution, tasks, [&](std::int64_t task, int, const StopFlag&) {
    const std::int64_t begin = task * kRowsPerTask;
    const std::int64_t rows = std::min(kRowsPerTask, x.rows - begin);
    maxima[task] = isa().largest_bits(x.row(begin), rows * x.cols);
  });
  const std::int32_t bits = tasks ? *std::max_element(maxima.begin(), maxima.end()) : 0;
  float maximum;
  std::memcpy(&maximum, &bits, sizeof bits);
  return static_cast<double>(maximum);
}

}  // namespace mmi
