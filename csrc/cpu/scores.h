// From a dot product to the stored score of a pair of rows.
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

#include "core/ordering.h"
#include "cpu/matrix.h"

namespace mmi {

// Rows together with dot(row, row) of each.
struct NormedRows {
  MatrixView rows;
  const double* squared_norms;
};

inline std::vector<double> norms_of(const NormedRows& x) {
  std::vector<double> norms(x.squared_norms, x.squared_norms + x.rows.rows);
  for (double& norm : norms) norm = std::sqrt(norm);
  return norms;
}

class CosineScores {
 public:
  CosineScores(const NormedRows& x, const NormedRows& y)
      : x_norms_(norms_of(x)), y_norms_(norms_of(y)) {}

  float operator()(std::int64_t i, std::int64_t j, double dot) const {
    return cosine_score(dot, x_norms_[i], y_norms_[j]);
  }

 private:
  std::vector<double> x_norms_;
  std::vector<double> y_norms_;
};

struct DotScores {
  float operator()(std::int64_t, std::int64_t, double dot) const { return stored_float(dot); }
};

}  // namespace mmi
