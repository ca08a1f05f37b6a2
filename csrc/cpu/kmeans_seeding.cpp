#include <algorithm>
#include <cmath>
#include <limits>

#include "core/counter_rng.h"
#include "core/exact_dot.h"
#include "core/ordering.h"
#include "cpu/kmeans_data.h"

namespace mmi {
namespace {

constexpr std::int64_t kRowsPerTask = 256;

class PlusPlus {
 public:
  PlusPlus(const KmeansData& data, std::uint64_t seed, const Execution& execution)
      : data_(data),
        seed_(seed),
        execution_(execution),
        blocks_((data.rows() + kRowsPerTask - 1) / kRowsPerTask),
        potentials_(static_cast<std::size_t>(data.rows())),
        block_totals_(static_cast<std::size_t>(blocks_)),
        taken_(static_cast<std::size_t>(data.rows())),
        centroid_(static_cast<std::size_t>(data.cols())) {
    for (std::int64_t i = 0; i < data_.rows(); ++i) {
      potentials_[i] = data_.contributes(i) ? data_.scales().weights.quantise(data_.weight(i)) : 0;
      block_totals_[i / kRowsPerTask] += potentials_[i];
    }
  }

  std::vector<float> run() {
    std::vector<float> centroids;
    centroids.reserve(static_cast<std::size_t>(data_.k * data_.cols()));
    for (std::int64_t drawn = 0; drawn < data_.k; ++drawn) {
      const std::int64_t row = draw(drawn);
      taken_[row] = true;
      set_centroid(row);
      centroids.insert(centroids.end(), centroid_.begin(), centroid_.end());
      if (drawn + 1 < data_.k) lower_potentials(drawn == 0);
    }
    return centroids;
  }

 private:
  std::int64_t draw(std::int64_t number) {
    std::uint64_t total = 0;
    for (const std::int64_t block_total : block_totals_) {
      total += static_cast<std::uint64_t>(block_total);
    }
    if (total == 0) return lowest_untaken_row();
    const std::uint64_t random = random_bits(seed_, static_cast<std::uint64_t>(number), 0);
    auto rest = static_cast<std::int64_t>(multiply_high(random, total));
    std::int64_t block = 0;
    while (rest >= block_totals_[block]) rest -= block_totals_[block++];
    std::int64_t row = block * kRowsPerTask;
    while (rest >= potentials_[row]) rest -= potentials_[row++];
    return row;
  }

  // k <= n, so there is one. Rows are taken from the bottom, so the search goes on where it ended.
  std::int64_t lowest_untaken_row() {
    while (taken_[lowest_]) ++lowest_;
    return lowest_;
  }

  // The seed as a centroid: the row itself, or its unit row under cosine.
  void set_centroid(std::int64_t row) {
    const float* values = data_.x.rows.row(row);
    const double norm = std::sqrt(data_.x.squared_norms[row]);
    const bool divide = data_.metric == Metric::kCosine && norm > 0.0;
    for (std::int64_t j = 0; j < data_.cols(); ++j) {
      centroid_[j] = divide ? stored_float(values[j] / norm) : values[j];
    }
    centroid_squared_ = exact_dot(centroid_.data(), centroid_.data(), data_.cols());
  }

  double distance(std::int64_t row) const {
    const double dot = exact_dot(data_.x.rows.row(row), centroid_.data(), data_.cols());
    const double squared = data_.x.squared_norms[row];
    if (data_.metric == Metric::kEuclidean) {
      return std::max(0.0, squared - 2.0 * (dot - 0.5 * centroid_squared_));
    }
    const float score = cosine_score(dot, std::sqrt(squared), std::sqrt(centroid_squared_));
    return std::max(0.0, 1.0 - static_cast<double>(score));
  }

  void lower_potentials(bool first) {
    parallel_for(execution_, blocks_, [&](std::int64_t block, int, const StopFlag&) {
      const std::int64_t end = std::min(data_.rows(), (block + 1) * kRowsPerTask);
      std::int64_t total = 0;
      for (std::int64_t row = block * kRowsPerTask; row < end; ++row) {
        if (potentials_[row] > 0) {
          const std::int64_t next =
              data_.scales().distances.quantise(data_.weight(row) * distance(row));
          potentials_[row] = first ? next : std::min(potentials_[row], next);
        }
        total += potentials_[row];
      }
      block_totals_[block] = total;
    });
  }

  const KmeansData& data_;
  const std::uint64_t seed_;
  const Execution& execution_;
  const std::int64_t blocks_;
  std::vector<std::int64_t> potentials_;
  std::vector<std::int64_t> block_totals_;
  std::vector<bool> taken_;
  std::int64_t lowest_ = 0;
  std::vector<float> centroid_;
  double centroid_squared_ = 0.0;
};

}  // namespace

std::vector<float> plus_plus_centroids(const KmeansData& data, std::uint64_t seed,
                                       const Execution& execution) {
  return PlusPlus(data, seed, execution).run();
}

}  // namespace mmi
