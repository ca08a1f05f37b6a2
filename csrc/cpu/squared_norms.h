// squared[i] = exact_dot(x[i], x[i]): the norms of every score, and the check that rows are finite.
//
// A finite float32 row has a finite squared norm (its square is far inside the range of double), so
// a squared norm that is not finite names a row that holds an infinity or a NaN.
#pragma once

#include <cstdint>

#include "cpu/matrix.h"
#include "cpu/parallel.h"

namespace mmi {

// Returns the first row that is not finite, or -1.
std::int64_t squared_norms(const MatrixView& x, double* squared, const Execution& execution);

}  // namespace mmi
