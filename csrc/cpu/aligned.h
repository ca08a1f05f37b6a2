// Memory on cache-line borders, not initialised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace mmi {

struct FreeAligned {
  void operator()(std::byte* memory) const { std::free(memory); }
};

using AlignedBytes = std::unique_ptr<std::byte[], FreeAligned>;

// Large pieces ask for huge pages: one page fault instead of 512.
inline AlignedBytes aligned_bytes(std::int64_t bytes) {
  constexpr std::size_t kCacheLine = 64;
  constexpr std::size_t kHugePage = std::size_t{2} << 20;
  const std::size_t alignment =
      static_cast<std::size_t>(bytes) >= 4 * kHugePage ? kHugePage : kCacheLine;
  const std::size_t size = (static_cast<std::size_t>(bytes) / alignment + 1) * alignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(alignment, size));
  if (memory == nullptr) throw std::bad_alloc();
#if defined(MADV_HUGEPAGE)
  if (alignment == kHugePage) madvise(memory, size, MADV_HUGEPAGE);
#endif
  return AlignedBytes(memory);
}

}  // namespace mmi
