// Which instruction set the kernels use: the best one of the processor, or what MMI_ISA names.
#pragma once

#include <string>
#include <vector>

#include "cpu/isa/kernels.h"

namespace mmi {

// Those that this build has and this processor runs, best first; "scalar" is always the last.
const std::vector<const IsaKernels*>& usable_isas();

// Chosen on the first call: MMI_ISA, or the best. Throws std::invalid_argument, naming the usable
// ones, when MMI_ISA names anything else.
const IsaKernels& isa();

}  // namespace mmi
