// Numbers for tests: seeded, and as unpleasant as the contract allows.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "core/exact_dot.h"
#include "cpu/matrix.h"

namespace mmi::tests {

using Random = std::mt19937_64;

// Row-major, owned.
struct Matrix {
  std::int64_t rows;
  std::int64_t cols;
  std::vector<float> values;

  Matrix(std::int64_t rows, std::int64_t cols)
      : rows(rows), cols(cols), values(static_cast<std::size_t>(rows * cols)) {}

  float* row(std::int64_t i) { return values.data() + i * cols; }
  MatrixView view() const { return {values.data(), rows, cols}; }
};

inline Matrix gaussian(std::int64_t rows, std::int64_t cols, Random& random) {
  Matrix matrix(rows, cols);
  std::normal_distribution<float> normal;
  for (float& value : matrix.values) value = normal(random);
  return matrix;
}

// Signs and exponents at random over nearly the whole range of float32, subnormal values included.
inline float any_float(Random& random, int least_exponent = -148, int most_exponent = 120) {
  std::uniform_real_distribution<double> mantissa(1.0, 2.0);
  std::uniform_int_distribution<int> exponent(least_exponent, most_exponent);
  const double magnitude = std::ldexp(mantissa(random), exponent(random));
  return static_cast<float>(random() & 1 ? magnitude : -magnitude);
}

inline std::vector<double> squared_norms_of_rows(const Matrix& matrix) {
  std::vector<double> squared;
  for (std::int64_t i = 0; i < matrix.rows; ++i) {
    const float* row = matrix.view().row(i);
    squared.push_back(exact_dot(row, row, matrix.cols));
  }
  return squared;
}

template <typename Value>
std::uint64_t bits_of(Value value) {
  std::uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof value);
  return bits;
}

}  // namespace mmi::tests
