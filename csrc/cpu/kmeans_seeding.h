// What seeding needs besides distances: the row draws of k-means||, and rows as centroids.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/parallel.h"

namespace mmi {

struct RoundOfDraws {
  std::uint64_t seed;
  std::uint64_t draw;          // number of this round's draws
  std::uint64_t total;         // of all potentials, on all ranks; positive
  std::uint64_t oversampling;  // rows expected per round, positive
  std::int64_t first_row;      // global number of the first potential
};

// Ascending global numbers of the rows taken, each independently with probability
// min(1, oversampling * potential / total). With u the 64 random bits of the row, that is
// u / 2^64 < oversampling * potential / total, or, in integers without overflow and without a
// rounding, floor(floor(u * total / 2^64) / oversampling) < potential.
std::vector<std::int64_t> drawn_rows(const std::int64_t* potentials, std::int64_t count,
                                     const RoundOfDraws& round, const Execution& execution);

// x / norm(x), rounded to float32; a zero row stays as it is.
void make_unit_row(float* x, std::int64_t d);

}  // namespace mmi
