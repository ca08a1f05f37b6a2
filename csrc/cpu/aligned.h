// Memory on cache-line borders, not initialised.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

namespace mmi {

struct FreeAligned {
  void operator()(std::byte* memory) const { std::free(memory); }
};

using AlignedBytes = std::unique_ptr<std::byte[], FreeAligned>;

inline AlignedBytes aligned_bytes(std::int64_t bytes) {
  constexpr std::size_t kAlignment = 64;
  const std::size_t size = (static_cast<std::size_t>(bytes) + kAlignment) / kAlignment * kAlignment;
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(kAlignment, size));
  if (memory == nullptr) throw std::bad_alloc();
  return AlignedBytes(memory);
}

}  // namespace mmi
