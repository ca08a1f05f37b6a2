// A row-major float32 matrix that someone else owns.
#pragma once

#include <cstdint>

namespace mmi {

struct MatrixView {
  const float* data;
  std::int64_t rows;
  std::int64_t cols;

  // Always inlined: this is compiled for several instruction sets.
  [[gnu::always_inline]] const float* row(std::int64_t i) const { return data + i * cols; }

  [[gnu::always_inline]] MatrixView slice(std::int64_t begin, std::int64_t end) const {
    return {row(begin), end - begin, cols};
  }
};

}  // namespace mmi
