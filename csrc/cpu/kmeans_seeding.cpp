#include "cpu/kmeans_seeding.h"

#include <algorithm>
#include <cmath>

#include "core/counter_rng.h"
#include "core/exact_dot.h"
#include "core/ordering.h"
#include "cpu/blocks.h"

namespace mmi {
namespace {

constexpr std::int64_t kRowsPerTask = 8192;

}  // namespace

std::vector<std::int64_t> drawn_rows(const std::int64_t* potentials, std::int64_t count,
                                     const RoundOfDraws& round, const Execution& execution) {
  const std::int64_t tasks = block_count(count, kRowsPerTask);
  std::vector<std::vector<std::int64_t>> parts(static_cast<std::size_t>(tasks));
  parallel_for(execution, tasks, [&](std::int64_t task, int, const StopFlag&) {
    const std::int64_t end = std::min(count, (task + 1) * kRowsPerTask);
    for (std::int64_t i = task * kRowsPerTask; i < end; ++i) {
      if (potentials[i] == 0) continue;
      const std::int64_t row = round.first_row + i;
      const std::uint64_t bits =
          random_bits(round.seed, round.draw, static_cast<std::uint64_t>(row));
      const std::uint64_t share = multiply_high(bits, round.total) / round.oversampling;
      if (share < static_cast<std::uint64_t>(potentials[i])) parts[task].push_back(row);
    }
  });
  std::vector<std::int64_t> taken;
  for (const auto& part : parts) taken.insert(taken.end(), part.begin(), part.end());
  return taken;
}

void make_unit_row(float* x, std::int64_t d) {
  const double norm = std::sqrt(exact_dot(x, x, d));
  if (norm == 0.0) return;
  for (std::int64_t j = 0; j < d; ++j) x[j] = stored_float(x[j] / norm);
}

}  // namespace mmi
