#include "cpu/isa/amx_tile.h"
#include "cpu/isa/table.h"

namespace mmi {

extern const IsaKernels kAmxKernels;
constexpr IsaKernels kAmxKernels = kernels_of<AmxTile>("amx");

}  // namespace mmi
