// The steps of k-means on one block of rows; mmi_hpc/kernels/kmeans_*.py puts them together.
#include "bind/kmeans.h"

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>

#include <optional>
#include <utility>
#include <vector>

#include "bind/arrays.h"
#include "core/counter_rng.h"
#include "cpu/absolute_maximum.h"
#include "cpu/kmeans_centroids.h"
#include "cpu/kmeans_distances.h"
#include "cpu/kmeans_seeding.h"
#include "cpu/kmeans_sums.h"
#include "cpu/nearest.h"

namespace nb = nanobind;

namespace {

using mmi::bind::Doubles;
using mmi::bind::Output;
using mmi::bind::Rows;
using mmi::bind::view;
using mmi::bind::without_gil;
using nb::literals::operator""_a;
using Labels = nb::ndarray<const std::int64_t, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
using Weights = std::optional<Doubles>;

void require(bool fits) {
  if (!fits) throw nb::value_error("the shapes of the arrays do not fit together");
}

mmi::Metric metric(bool cosine) { return cosine ? mmi::Metric::kCosine : mmi::Metric::kEuclidean; }

const double* pointer(const Weights& weights) { return weights ? weights->data() : nullptr; }

mmi::KmeansRows rows_of(const Rows& x, const Doubles& squared_norms, const Weights& weights,
                        bool cosine) {
  require(!weights || weights->shape(0) == x.shape(0));
  return {mmi::bind::normed(x, squared_norms), pointer(weights), metric(cosine)};
}

mmi::ClusterSums sums_of(const Output<std::int64_t>& sums, const Output<std::int64_t>& weight_sums,
                         const Output<std::int64_t>& counts, std::size_t d) {
  require(weight_sums.size() == counts.size() && sums.size() == counts.size() * d);
  return {static_cast<std::int64_t>(counts.size()), sums.data(), weight_sums.data(), counts.data()};
}

double absolute_maximum(const Rows& x, int threads) {
  return without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::absolute_maximum(view(x), execution);
  });
}

void make_unit_rows(const Output<float>& x) {
  require(x.ndim() == 2);
  const mmi::DefaultFloatEnvironment environment;
  for (std::size_t i = 0; i < x.shape(0); ++i) {
    mmi::make_unit_row(x.data() + i * x.shape(1), static_cast<std::int64_t>(x.shape(1)));
  }
}

mmi::PackedRows pack_rows(const Rows& x, const Doubles& squared_norms, bool cosine, int threads) {
  const mmi::NormedRows rows = mmi::bind::normed(x, squared_norms);
  return without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::PackedRows(rows, metric(cosine), execution);
  });
}

void assign(const mmi::PackedRows& rows, const Rows& centroids, const Output<std::int64_t>& labels,
            int threads) {
  const mmi::MatrixView x = rows.x().rows;
  require(centroids.shape(0) > 0 && static_cast<std::int64_t>(centroids.shape(1)) == x.cols &&
          static_cast<std::int64_t>(labels.size()) == x.rows);
  without_gil(threads, [&](const mmi::Execution& execution) {
    mmi::nearest(rows, view(centroids), labels.data(), execution);
  });
}

std::int64_t accumulate(const Rows& x, const Doubles& squared_norms, const Weights& weights,
                        bool cosine, const Labels& labels, const std::optional<Labels>& previous,
                        int sum_exponent, int weight_exponent, const Output<std::int64_t>& sums,
                        const Output<std::int64_t>& weight_sums, const Output<std::int64_t>& counts,
                        int threads) {
  const mmi::KmeansRows rows = rows_of(x, squared_norms, weights, cosine);
  require(labels.size() == x.shape(0) && (!previous || previous->size() == x.shape(0)));
  const mmi::ClusterSums clusters = sums_of(sums, weight_sums, counts, x.shape(1));
  const mmi::SumScales scales{mmi::FixedPoint(sum_exponent), mmi::FixedPoint(weight_exponent)};
  return without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::accumulate(rows, labels.data(), previous ? previous->data() : nullptr, scales,
                           clusters, execution);
  });
}

nb::tuple resolution(const Doubles& squared_norms, const Weights& weights, bool cosine, double unit,
                     double cap, int exponent, int threads) {
  require(!weights || weights->shape(0) == squared_norms.shape(0));
  const mmi::MatrixView unread{nullptr, static_cast<std::int64_t>(squared_norms.shape(0)), 0};
  const mmi::KmeansRows rows{{unread, squared_norms.data()}, pointer(weights), metric(cosine)};
  const mmi::Resolution found = without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::resolution(rows, unit, cap, mmi::FixedPoint(exponent), execution);
  });
  return nb::make_tuple(found.rows, found.sum);
}

double centroids(const Output<std::int64_t>& sums, const Output<std::int64_t>& weight_sums,
                 const Output<std::int64_t>& counts, bool cosine, int sum_exponent,
                 int weight_exponent, const Rows& previous, const Output<float>& out, int threads) {
  const mmi::ClusterSums clusters = sums_of(sums, weight_sums, counts, previous.shape(1));
  require(previous.shape(0) == counts.size() && out.size() == previous.size());
  const mmi::SumScales scales{mmi::FixedPoint(sum_exponent), mmi::FixedPoint(weight_exponent)};
  return without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::centroids_of(clusters, scales, metric(cosine), view(previous), out.data(),
                             execution);
  });
}

void distances(const Rows& x, const Doubles& squared_norms, bool cosine, const Rows& centroids,
               const Labels& labels, const Output<double>& out, int threads) {
  const mmi::KmeansRows rows = rows_of(x, squared_norms, std::nullopt, cosine);
  require(centroids.shape(1) == x.shape(1) && labels.size() == x.shape(0) &&
          out.size() == x.shape(0));
  without_gil(threads, [&](const mmi::Execution& execution) {
    mmi::distances(rows, view(centroids), labels.data(), out.data(), execution);
  });
}

std::int64_t inertia(const Rows& x, const Doubles& squared_norms, const Weights& weights,
                     bool cosine, const Rows& centroids, const Labels& labels, int exponent,
                     int threads) {
  const mmi::KmeansRows rows = rows_of(x, squared_norms, weights, cosine);
  require(centroids.shape(1) == x.shape(1) && labels.size() == x.shape(0));
  return without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::inertia(rows, view(centroids), labels.data(), mmi::FixedPoint(exponent), execution);
  });
}

void lower_potentials(const Rows& x, const Doubles& squared_norms, const Weights& weights,
                      bool cosine, const Rows& candidates, const std::optional<Labels>& labels,
                      int exponent, std::int64_t first_candidate,
                      const Output<std::int64_t>& potentials, const Output<std::int64_t>& owners,
                      const Output<std::int64_t>& groups, int threads) {
  const mmi::KmeansRows rows = rows_of(x, squared_norms, weights, cosine);
  const std::size_t n = x.shape(0);
  require(candidates.shape(0) > 0 && candidates.shape(1) == x.shape(1) &&
          (!labels || labels->size() == n) && potentials.size() == n && owners.size() == n &&
          groups.size() == (n + mmi::kPotentialGroup - 1) / mmi::kPotentialGroup);
  const mmi::Potentials all{potentials.data(), owners.data(), groups.data()};
  without_gil(threads, [&](const mmi::Execution& execution) {
    mmi::lower_potentials(rows, view(candidates), labels ? labels->data() : nullptr,
                          mmi::FixedPoint(exponent), first_candidate, all, execution);
  });
}

auto drawn_rows(const Labels& potentials, std::int64_t first_row, std::uint64_t seed,
                std::uint64_t draw, std::uint64_t total, std::uint64_t oversampling, int threads) {
  require(total > 0 && oversampling > 0);
  std::vector<std::int64_t> taken = without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::drawn_rows(potentials.data(), static_cast<std::int64_t>(potentials.size()),
                           {seed, draw, total, oversampling, first_row}, execution);
  });
  const std::size_t count = taken.size();
  return mmi::bind::to_numpy(std::move(taken), {count});
}

auto array(const char* name) { return nb::arg(name).noconvert(); }
auto optional_array(const char* name) { return nb::arg(name).noconvert().none(); }

}  // namespace

void bind_kmeans(nanobind::module_& m) {
  m.attr("POTENTIAL_GROUP") = mmi::kPotentialGroup;
  m.def("random_bits", &mmi::random_bits, "seed"_a, "draw"_a, "row"_a, "64 uniform bits.");
  m.def("absolute_maximum", &absolute_maximum, array("x"), "threads"_a, "Largest |value| of x.");
  m.def("make_unit_rows", &make_unit_rows, array("x"),
        "Divide each row by its norm, and round to float32; zero rows stay.");
  nb::class_<mmi::PackedRows>(m, "PackedRows", "Rows packed to be assigned to centroids.")
      .def_prop_ro("nbytes", &mmi::PackedRows::bytes);
  m.def("pack_rows", &pack_rows, array("x"), array("squared_norms"), "cosine"_a, "threads"_a,
        nb::keep_alive<0, 1>(), nb::keep_alive<0, 2>(),
        "Pack rows. They and their norms are kept alive and must not change.");
  m.def("kmeans_assign", &assign, "rows"_a, array("centroids"), array("labels"), "threads"_a,
        "Fill labels.");
  m.def("kmeans_accumulate", &accumulate, array("x"), array("squared_norms"),
        optional_array("weights"), "cosine"_a, array("labels"), optional_array("previous"),
        "sum_exponent"_a, "weight_exponent"_a, array("sums"), array("weight_sums"), array("counts"),
        "threads"_a, "Add what changed to the sums; return the number of changed labels.");
  m.def("kmeans_resolution", &resolution, array("squared_norms"), optional_array("weights"),
        "cosine"_a, "unit"_a, "cap"_a, "exponent"_a, "threads"_a,
        "Return (rows that are not zero, sum of min(squares / unit, cap) in fixed point).");
  m.def("kmeans_centroids", &centroids, array("sums"), array("weight_sums"), array("counts"),
        "cosine"_a, "sum_exponent"_a, "weight_exponent"_a, array("previous"), array("out"),
        "threads"_a, "Fill out; return the largest move.");
  m.def("kmeans_distances", &distances, array("x"), array("squared_norms"), "cosine"_a,
        array("centroids"), array("labels"), array("out"), "threads"_a,
        "Fill out with the distance of each row to its centroid.");
  m.def("kmeans_inertia", &inertia, array("x"), array("squared_norms"), optional_array("weights"),
        "cosine"_a, array("centroids"), array("labels"), "exponent"_a, "threads"_a,
        "Return the weighted sum of distances in fixed point.");
  m.def("kmeans_lower_potentials", &lower_potentials, array("x"), array("squared_norms"),
        optional_array("weights"), "cosine"_a, array("candidates"), optional_array("labels"),
        "exponent"_a, "first_candidate"_a, array("potentials"), array("owners"), array("groups"),
        "threads"_a, "Lower potentials to what new candidates give.");
  m.def("kmeans_drawn_rows", &drawn_rows, array("potentials"), "first_row"_a, "seed"_a, "draw"_a,
        "total"_a, "oversampling"_a, "threads"_a, "Return the global rows that a round takes.");
}
