// The largest |value| of a matrix: what the step of fixed-point sums is chosen from.
#pragma once

#include "cpu/matrix.h"
#include "cpu/parallel.h"

namespace mmi {

// x: finite. 0 for a matrix without values.
double absolute_maximum(const MatrixView& x, const Execution& execution);

}  // namespace mmi
