#include "cpu/isa/fp32_tile.h"
#include "cpu/isa/table.h"

namespace mmi {

extern const IsaKernels kScalarKernels;
constexpr IsaKernels kScalarKernels = kernels_of<Fp32Tile>("scalar");

}  // namespace mmi
