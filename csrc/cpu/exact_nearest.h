// The nearest bank row of every row by scoring every pair in float64: the definition that nearest.h
// meets, and the way out for rows that its filter gives up.
#pragma once

#include <cstdint>

#include "cpu/metric.h"
#include "cpu/parallel.h"
#include "cpu/scores.h"

namespace mmi {

// labels: (rows). bank: at least one row. Cost: x.rows * bank.rows * d multiply-adds in double.
void exact_nearest(const NormedRows& x, const NormedRows& bank, Metric metric, std::int64_t* labels,
                   const Execution& execution);

}  // namespace mmi
