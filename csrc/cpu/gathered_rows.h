// Copies of rows from here and there, as one matrix.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cpu/scores.h"

namespace mmi {

// How many rows are gathered at a time: 16 MiB, and no more than keep some threads busy.
inline std::int64_t gathered_rows(std::int64_t d) {
  return std::clamp<std::int64_t>((std::int64_t{16} << 20) / (4 * d), 1, 4096);
}

class GatheredRows {
 public:
  GatheredRows(const NormedRows& x, const std::int64_t* numbers, std::int64_t count)
      : cols_(x.rows.cols),
        values_(static_cast<std::size_t>(count * cols_)),
        squared_(static_cast<std::size_t>(count)) {
    for (std::int64_t i = 0; i < count; ++i) {
      std::copy_n(x.rows.row(numbers[i]), cols_, values_.data() + i * cols_);
      squared_[i] = x.squared_norms[numbers[i]];
    }
  }

  std::int64_t count() const { return static_cast<std::int64_t>(squared_.size()); }
  NormedRows rows() const { return {{values_.data(), count(), cols_}, squared_.data()}; }

 private:
  std::int64_t cols_;
  std::vector<float> values_;
  std::vector<double> squared_;
};

}  // namespace mmi
