// The rows of one k-means call, or one block of them, and what each is worth.
#pragma once

#include <cmath>
#include <cstdint>

#include "cpu/metric.h"
#include "cpu/scores.h"

namespace mmi {

struct KmeansRows {
  NormedRows x;           // finite rows
  const double* weights;  // non-negative and below 2; or null for all ones
  Metric metric;

  std::int64_t count() const { return x.rows.rows; }
  std::int64_t cols() const { return x.rows.cols; }

  double weight(std::int64_t i) const { return weights ? weights[i] : 1.0; }

  // A row without weight, or a zero row under cosine, moves no centroid and is never a seed.
  bool contributes(std::int64_t i) const {
    return weight(i) > 0.0 && (metric == Metric::kEuclidean || x.squared_norms[i] > 0.0);
  }

  // What the values of a contributing row are multiplied by before they are added up.
  double factor(std::int64_t i) const {
    return metric == Metric::kEuclidean ? weight(i) : weight(i) / std::sqrt(x.squared_norms[i]);
  }
};

}  // namespace mmi
