#include "cpu/isa/fp32_tile.h"
#include "cpu/isa/table.h"

namespace mmi {

extern const IsaKernels kAvx2Kernels;
constexpr IsaKernels kAvx2Kernels = kernels_of<Fp32Tile>("avx2");

}  // namespace mmi
