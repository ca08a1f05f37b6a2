#include <algorithm>
#include <atomic>
#include <cmath>

#include "core/exact_dot.h"
#include "core/ordering.h"
#include "cpu/kmeans_data.h"

namespace mmi {
namespace {

constexpr std::int64_t kRowsPerTask = 512;

// Contributing rows, grouped by label; ascending within a label.
std::vector<std::int64_t> rows_by_label(const KmeansData& data,
                                        const std::vector<std::int64_t>& labels) {
  std::vector<std::int64_t> next(static_cast<std::size_t>(data.k + 1));
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (data.contributes(i)) ++next[labels[i] + 1];
  }
  for (std::int64_t c = 0; c < data.k; ++c) next[c + 1] += next[c];
  std::vector<std::int64_t> order(static_cast<std::size_t>(next[data.k]));
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (data.contributes(i)) order[next[labels[i]]++] = i;
  }
  return order;
}

// Fixed-point sums of the clusters. A task walks a run of rows grouped by label, so it adds to the
// shared sums only where the label changes; integer addition makes the order of tasks irrelevant.
class ClusterSums {
 public:
  explicit ClusterSums(const KmeansData& data)
      : data_(data),
        values_(static_cast<std::size_t>(data.k * data.cols())),
        weights_(static_cast<std::size_t>(data.k)) {}

  void add(const std::vector<std::int64_t>& labels, const Execution& execution) {
    const std::vector<std::int64_t> order = rows_by_label(data_, labels);
    const auto rows = static_cast<std::int64_t>(order.size());
    const std::int64_t tasks = (rows + kRowsPerTask - 1) / kRowsPerTask;
    parallel_for(execution, tasks, [&](std::int64_t task, int, const StopFlag&) {
      Partial partial(data_.cols());
      const std::int64_t end = std::min(rows, (task + 1) * kRowsPerTask);
      for (std::int64_t at = task * kRowsPerTask; at < end; ++at) {
        add_row(order[at], partial);
        if (at + 1 == end || labels[order[at + 1]] != labels[order[at]]) {
          flush(labels[order[at]], partial);
        }
      }
    });
  }

  std::int64_t value(std::int64_t c, std::int64_t j) const { return values_[c * data_.cols() + j]; }
  std::int64_t weight(std::int64_t c) const { return weights_[c]; }

 private:
  struct Partial {
    explicit Partial(std::int64_t cols) : values(static_cast<std::size_t>(cols)) {}
    std::vector<std::int64_t> values;
    std::int64_t weight = 0;
  };

  void add_row(std::int64_t row, Partial& partial) const {
    const float* x = data_.x.rows.row(row);
    const double weight = data_.weight(row);
    const double norm =
        data_.metric == Metric::kCosine ? std::sqrt(data_.x.squared_norms[row]) : 1.0;
    for (std::int64_t j = 0; j < data_.cols(); ++j) {
      partial.values[j] += data_.scales().sums.quantise(weight * (x[j] / norm));
    }
    partial.weight += data_.scales().weights.quantise(weight);
  }

  void flush(std::int64_t label, Partial& partial) {
    for (std::int64_t j = 0; j < data_.cols(); ++j) {
      values_[label * data_.cols() + j].fetch_add(partial.values[j], std::memory_order_relaxed);
      partial.values[j] = 0;
    }
    weights_[label].fetch_add(partial.weight, std::memory_order_relaxed);
    partial.weight = 0;
  }

  const KmeansData& data_;
  std::vector<std::atomic<std::int64_t>> values_;
  std::vector<std::atomic<std::int64_t>> weights_;
};

// What a sum is divided by; zero when the cluster has nothing to say.
double divisor(const KmeansData& data, std::int64_t weight, const std::vector<double>& sum) {
  return data.metric == Metric::kCosine ? std::sqrt(exact_dot(sum.data(), sum.data(), data.cols()))
                                        : data.scales().weights.value(weight);
}

}  // namespace

std::vector<float> updated_centroids(const KmeansData& data,
                                     const std::vector<std::int64_t>& labels,
                                     const std::vector<float>& previous,
                                     const Execution& execution) {
  ClusterSums sums(data);
  sums.add(labels, execution);
  std::vector<float> centroids = previous;
  std::vector<double> sum(static_cast<std::size_t>(data.cols()));
  for (std::int64_t c = 0; c < data.k; ++c) {
    for (std::int64_t j = 0; j < data.cols(); ++j) {
      sum[j] = data.scales().sums.value(sums.value(c, j));
    }
    const double by = divisor(data, sums.weight(c), sum);
    if (by == 0.0) continue;
    for (std::int64_t j = 0; j < data.cols(); ++j) {
      centroids[c * data.cols() + j] = stored_float(sum[j] / by);
    }
  }
  return centroids;
}

std::vector<std::int64_t> refill_empty_clusters(const KmeansData& data,
                                                const Assignment& assignment) {
  std::vector<std::int64_t> labels = assignment.labels;
  std::vector<std::int64_t> counts = label_counts(labels, data.k);
  if (std::find(counts.begin(), counts.end(), 0) == counts.end()) return labels;

  const auto nearer = [&](std::int64_t a, std::int64_t b) {
    const double distance_a = assignment.distances[a];
    const double distance_b = assignment.distances[b];
    return distance_a < distance_b || (distance_a == distance_b && a > b);
  };
  std::vector<std::int64_t> donors;
  for (std::int64_t i = 0; i < data.rows(); ++i) {
    if (data.contributes(i)) donors.push_back(i);
  }
  std::make_heap(donors.begin(), donors.end(), nearer);

  // A cluster only ever loses rows here, or gains its first: a donor passed over stays passed over.
  for (std::int64_t c = 0; c < data.k; ++c) {
    while (counts[c] == 0 && !donors.empty()) {
      const std::int64_t row = donors.front();
      std::pop_heap(donors.begin(), donors.end(), nearer);
      donors.pop_back();
      if (counts[labels[row]] < 2) continue;
      --counts[labels[row]];
      labels[row] = c;
      ++counts[c];
    }
  }
  return labels;
}

}  // namespace mmi
