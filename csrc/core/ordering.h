// Scores as they are stored, and the one order in which results are listed.
//
// A score is rounded to float32 first and compared afterwards, so the order is a function of what
// the caller sees: score descending, then index ascending. -0.0 is stored as +0.0, so that equal
// scores have equal bits. No score is ever NaN: rows are finite, and a zero vector scores 0.
#pragma once

#include <cmath>
#include <cstdint>

#include "core/host_device.h"

namespace mmi {

struct Candidate {
  float score;
  std::int64_t index;
};

MMI_HD inline bool ranks_before(const Candidate& a, const Candidate& b) {
  return a.score > b.score || (a.score == b.score && a.index < b.index);
}

// Round to nearest even; a dot product beyond the range of float32 becomes an infinity, which has
// its place in the order. Adding +0.0 turns -0.0 into +0.0 and leaves every other value alone.
MMI_HD inline float stored_float(double score) { return static_cast<float>(score) + 0.0f; }

// fl32(dot / (norm_x * norm_y)), in this order of operations. Norms are sqrt(dot(x, x)).
// The square of the smallest float32 is a normal double, so a norm is zero for zero vectors only.
MMI_HD inline float cosine_score(double dot, double norm_x, double norm_y) {
  const double norms = norm_x * norm_y;
  return norms == 0.0 ? 0.0f : stored_float(dot / norms);
}

}  // namespace mmi
