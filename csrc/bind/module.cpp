// mmi_hpc.kernels._core: the CPU kernels as Python functions.
//
// This layer only translates: contiguous float32 in, NumPy arrays out. What a user may pass, and
// what a wrong argument is told, is decided in mmi_hpc/kernels/*.py. The GIL is released for the
// whole of a call and taken back about every 100 ms to look for Ctrl-C.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <utility>
#include <vector>

#include "bind/arrays.h"
#include "bind/kmeans.h"
#include "bind/peak.h"
#include "cpu/exact_topk.h"
#include "cpu/near_duplicates.h"
#include "cpu/packed_bank.h"
#include "cpu/squared_norms.h"
#include "cpu/topk.h"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace {

using mmi::bind::Doubles;
using mmi::bind::normed;
using mmi::bind::Output;
using mmi::bind::Rows;
using mmi::bind::to_numpy;
using mmi::bind::view;
using mmi::bind::without_gil;

std::int64_t squared_norms(const Rows& x, const Output<double>& out, int threads) {
  if (out.size() != x.shape(0)) throw nb::value_error("one squared norm per row is needed");
  return without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::squared_norms(view(x), out.data(), execution);
  });
}

void exact_topk(const Rows& queries, const Doubles& query_norms, const Rows& bank,
                const Doubles& bank_norms, std::int64_t k, bool normalize,
                const Output<float>& scores, const Output<std::int64_t>& indices, int threads) {
  const mmi::NormedRows q = normed(queries, query_norms);
  const mmi::NormedRows b = normed(bank, bank_norms);
  const std::size_t size = queries.shape(0) * static_cast<std::size_t>(k);
  if (scores.size() != size || indices.size() != size || queries.shape(1) != bank.shape(1) ||
      k < 1 || k > b.rows.rows) {
    throw nb::value_error("the shapes of queries, bank, scores and indices do not fit together");
  }
  without_gil(threads, [&](const mmi::Execution& execution) {
    mmi::exact_topk(q, b, k, normalize, {scores.data(), indices.data()}, execution);
  });
}

mmi::PackedBank pack_bank(const Rows& rows, const Doubles& squared_norms, bool normalize,
                          int threads) {
  const mmi::NormedRows bank = normed(rows, squared_norms);
  return without_gil(threads, [&](const mmi::Execution& execution) {
    std::vector<double> squared(bank.squared_norms, bank.squared_norms + bank.rows.rows);
    const mmi::Scaling scaling = mmi::bank_scaling(normalize, squared);
    return mmi::PackedBank(bank.rows, std::move(squared), scaling, false, execution);
  });
}

nb::dict filtered_topk(const Rows& queries, const mmi::PackedBank& bank, std::int64_t k,
                       bool rescore, const Output<float>& scores,
                       const Output<std::int64_t>& indices, int threads) {
  const std::size_t size = queries.shape(0) * static_cast<std::size_t>(k);
  const mmi::MatrixView q = view(queries);
  if (scores.size() != size || indices.size() != size || q.cols != bank.rows().cols || k < 1 ||
      k > bank.rows().rows) {
    throw nb::value_error("the shapes of queries, bank, scores and indices do not fit together");
  }
  const mmi::TopkStats stats = without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::filtered_topk(q, bank, k, rescore, {scores.data(), indices.data()}, execution);
  });
  nb::dict result;
  result["bad_row"] = stats.bad_row;
  result["survivors"] = stats.survivors;
  result["rescored"] = stats.rescored;
  result["overflow_rows"] = stats.overflow_rows;
  nb::dict seconds;
  seconds["pack"] = stats.pack_seconds;
  seconds["prime"] = stats.prime_seconds;
  seconds["scan"] = stats.scan_seconds;
  seconds["rescore"] = stats.rescore_seconds;
  result["seconds"] = seconds;
  return result;
}

// None when there are more than most_pairs.
nb::object near_duplicates(const Rows& window, const Doubles& window_norms, std::int64_t first,
                           const mmi::PackedBank& bank, std::int64_t bank_first, bool self_join,
                           float threshold, std::int64_t most_pairs, int threads) {
  const mmi::NormedRows rows = normed(window, window_norms);
  if (rows.rows.cols != bank.rows().cols || !bank.normalized()) {
    throw nb::value_error("the window does not fit the bank");
  }
  std::vector<std::int64_t> i;
  std::vector<std::int64_t> j;
  std::vector<float> scores;
  const bool complete = without_gil(threads, [&](const mmi::Execution& execution) {
    const mmi::JoinResult found = mmi::near_duplicates({rows, first - bank_first}, bank, self_join,
                                                       threshold, most_pairs, execution);
    i.reserve(found.pairs.size());
    j.reserve(found.pairs.size());
    scores.reserve(found.pairs.size());
    for (const mmi::Pair& pair : found.pairs) {
      i.push_back(bank_first + pair.i);
      j.push_back(bank_first + pair.j);
      scores.push_back(pair.score);
    }
    return found.complete;
  });
  if (!complete) return nb::none();
  const std::size_t count = scores.size();
  return nb::make_tuple(to_numpy(std::move(i), {count}), to_numpy(std::move(j), {count}),
                        to_numpy(std::move(scores), {count}));
}

nb::dict build_info() {
  nb::dict info;
  info["isa"] = mmi::isa().name;
  std::vector<std::string> usable;
  for (const mmi::IsaKernels* kernels : mmi::usable_isas()) usable.emplace_back(kernels->name);
  info["usable_isas"] = usable;
  info["compiler"] = MMI_COMPILER;
  info["version"] = MMI_VERSION;
  return info;
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "Compiled CPU kernels. Use mmi_hpc.kernels, which checks its arguments.";
  m.def("squared_norms", &squared_norms, nb::arg("x").noconvert(), nb::arg("out").noconvert(),
        "threads"_a, "Fill out with dot(row, row); return the first non-finite row, or -1.");
  m.def("exact_topk", &exact_topk, nb::arg("queries").noconvert(),
        nb::arg("query_norms").noconvert(), nb::arg("bank").noconvert(),
        nb::arg("bank_norms").noconvert(), "k"_a, "normalize"_a, nb::arg("scores").noconvert(),
        nb::arg("indices").noconvert(), "threads"_a,
        "Fill scores and indices, both (queries, k). Norms are squared.");
  nb::class_<mmi::PackedBank>(m, "PackedBank",
                              "Rows packed for the scan; see mmi_hpc.kernels.Bank.")
      .def_prop_ro("nbytes", &mmi::PackedBank::bytes);
  m.def("pack_bank", &pack_bank, nb::arg("rows").noconvert(), nb::arg("squared_norms").noconvert(),
        "normalize"_a, "threads"_a, nb::keep_alive<0, 1>(),
        "Pack a bank. The rows are kept alive and must not change.");
  m.def("filtered_topk", &filtered_topk, nb::arg("queries").noconvert(), "bank"_a, "k"_a,
        "rescore"_a, nb::arg("scores").noconvert(), nb::arg("indices").noconvert(), "threads"_a,
        "Fill scores and indices, both (queries, k); return what was done.");
  m.def("near_duplicates", &near_duplicates, nb::arg("window").noconvert(),
        nb::arg("window_norms").noconvert(), "first"_a, "bank"_a, "bank_first"_a, "self_join"_a,
        "threshold"_a, "most_pairs"_a, "threads"_a,
        "Return (i, j, score) of a window of rows against a bank, or None if there are too many "
        "pairs. Norms are squared; first and bank_first number the rows.");
  bind_kmeans(m);
  m.def("build_info", &build_info, "How this module was built.");
  bind_peak(m);
}
