#include "cpu/isa.h"

#include <cstdlib>
#include <stdexcept>

#if defined(MMI_X86) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace mmi {

extern const IsaKernels kScalarKernels;
#if defined(MMI_X86)
extern const IsaKernels kAvx2Kernels;
extern const IsaKernels kAvx512Kernels;
#if defined(MMI_AMX)
extern const IsaKernels kAmxKernels;
#endif
#endif

namespace {

#if defined(MMI_X86)
bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }

bool has_avx512() {
  return has_avx2() && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
         __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
}

#if defined(MMI_AMX)
// CPUID leaf 7: AMX-BF16 and AMX-TILE are bits 22 and 24 of EDX, AVX512-BF16 is bit 5 of subleaf
// 1's EAX.
bool cpuid_has_amx() {
  unsigned a = 7, b = 0, c = 0, d = 0;
  __asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  unsigned a1 = 7, b1 = 0, c1 = 1, d1 = 0;
  __asm__("cpuid" : "+a"(a1), "=b"(b1), "+c"(c1), "=d"(d1));
  return (d >> 22 & 1) != 0 && (d >> 24 & 1) != 0 && (a1 >> 5 & 1) != 0;
}

// The kernel grants the 8 KiB of tile state per process and on request only.
bool tile_state_granted() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}
#endif
#endif

std::vector<const IsaKernels*> find_usable() {
  std::vector<const IsaKernels*> found;
#if defined(MMI_X86)
#if defined(MMI_AMX)
  if (has_avx512() && cpuid_has_amx() && tile_state_granted()) found.push_back(&kAmxKernels);
#endif
  if (has_avx512()) found.push_back(&kAvx512Kernels);
  if (has_avx2()) found.push_back(&kAvx2Kernels);
#endif
  found.push_back(&kScalarKernels);
  return found;
}

const IsaKernels& choose() {
  const char* wanted = std::getenv("MMI_ISA");
  if (wanted == nullptr || *wanted == '\0') return *usable_isas().front();
  std::string names;
  for (const IsaKernels* kernels : usable_isas()) {
    if (kernels->name == std::string(wanted)) return *kernels;
    names += (names.empty() ? "" : ", ") + std::string(kernels->name);
  }
  throw std::invalid_argument("MMI_ISA=" + std::string(wanted) +
                              " cannot be used here: this build on this processor has " + names +
                              "; unset MMI_ISA for the best of them");
}

}  // namespace

const std::vector<const IsaKernels*>& usable_isas() {
  static const std::vector<const IsaKernels*> usable = find_usable();
  return usable;
}

const IsaKernels& isa() {
  static const IsaKernels& chosen = choose();
  return chosen;
}

}  // namespace mmi
