#include "cpu/squared_norms.h"

#include <algorithm>
#include <cmath>

#include "cpu/blocks.h"
#include "cpu/isa.h"

namespace mmi {
namespace {

constexpr std::int64_t kRowsPerTask = 1024;

}  // namespace

std::int64_t squared_norms(const MatrixView& x, double* squared, const Execution& execution) {
  const std::int64_t tasks = block_count(x.rows, kRowsPerTask);
  parallel_for(execution, tasks, [&](std::int64_t task, int, const StopFlag&) {
    const std::int64_t end = std::min(x.rows, (task + 1) * kRowsPerTask);
    const std::int64_t begin = task * kRowsPerTask;
    isa().squared_norms(x.slice(begin, end), squared + begin);
  });
  const double* bad = std::find_if_not(squared, squared + x.rows,
                                       [](double value) { return std::isfinite(value); });
  return bad == squared + x.rows ? -1 : bad - squared;
}

}  // namespace mmi
