// Cutting a count into blocks. Always inlined: this is compiled for several instruction sets.
#pragma once

#include <cstdint>

namespace mmi {

[[gnu::always_inline]] inline std::int64_t block_count(std::int64_t rows, std::int64_t block) {
  return (rows + block - 1) / block;
}

[[gnu::always_inline]] inline std::int64_t rounded_up(std::int64_t count, std::int64_t unit) {
  return block_count(count, unit) * unit;
}

}  // namespace mmi
