// MMI_HD marks functions that mean the same on host and device.
//
// Everything in core/ is plain C++17 without CUDA types, so that it compiles, and is tested, on a
// machine without a GPU. A CUDA compiler sees the same functions for both sides.
#pragma once

#if defined(__CUDACC__)
#define MMI_HD __host__ __device__
#else
#define MMI_HD
#endif
