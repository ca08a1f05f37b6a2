// MMI_HD marks functions that mean the same on host and device.
//
// Everything in core/ is plain C++17 without CUDA types, so that it compiles, and is tested, on a
// machine without a GPU. A CUDA compiler sees the same functions for both sides.
//
// On the host they are always inlined: core/ is compiled once per instruction set, and a linker
// that merged the copies could hand a processor instructions that it lacks.
#pragma once

#if defined(__CUDACC__)
#define MMI_HD __host__ __device__
#else
#define MMI_HD __attribute__((always_inline))
#endif
