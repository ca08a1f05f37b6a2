#include "cpu/isa/fp32_tile.h"
#include "cpu/isa/table.h"

namespace mmi {

extern const IsaKernels kAvx512Kernels;
constexpr IsaKernels kAvx512Kernels = kernels_of<Fp32Tile>("avx512");

}  // namespace mmi
