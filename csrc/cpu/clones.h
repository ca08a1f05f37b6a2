// MMI_CLONES compiles a function once per instruction set; the loader chooses when the library is
// loaded. All clones give the same bits, as multiplications and additions are never contracted.
#pragma once

#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__)
#define MMI_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define MMI_CLONES
#endif
