// mmi_hpc.kernels._core: the CPU kernels as Python functions.
//
// This layer only translates: contiguous float32 in, NumPy arrays out. What a user may pass, and
// what a wrong argument is told, is decided in mmi_hpc/kernels/*.py. The GIL is released for the
// whole of a call and taken back about every 100 ms to look for Ctrl-C.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/string.h>

#include <utility>
#include <vector>

#include "bind/arrays.h"
#include "bind/kmeans.h"
#include "cpu/near_duplicates.h"
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

void cosine_topk(const Rows& queries, const Doubles& query_norms, const Rows& bank,
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
    mmi::cosine_topk(q, b, k, normalize, {scores.data(), indices.data()}, execution);
  });
}

nb::tuple near_duplicates(const Rows& window, const Doubles& window_norms, std::int64_t first,
                          const Rows& bank, const Doubles& bank_norms, bool self_join,
                          float threshold, int threads) {
  const mmi::NormedRows rows = normed(window, window_norms);
  const mmi::NormedRows all = normed(bank, bank_norms);
  if (window.shape(1) != bank.shape(1) ||
      (self_join && (first < 0 || first + rows.rows.rows > all.rows.rows))) {
    throw nb::value_error("the window does not fit the bank");
  }
  std::vector<std::int64_t> i;
  std::vector<std::int64_t> j;
  std::vector<float> scores;
  without_gil(threads, [&](const mmi::Execution& execution) {
    const std::vector<mmi::Pair> pairs =
        mmi::near_duplicates({rows, first}, all, self_join, threshold, execution);
    i.reserve(pairs.size());
    j.reserve(pairs.size());
    scores.reserve(pairs.size());
    for (const mmi::Pair& pair : pairs) {
      i.push_back(pair.i);
      j.push_back(pair.j);
      scores.push_back(pair.score);
    }
  });
  const std::size_t count = scores.size();
  return nb::make_tuple(to_numpy(std::move(i), {count}), to_numpy(std::move(j), {count}),
                        to_numpy(std::move(scores), {count}));
}

nb::dict build_info() {
  nb::dict info;
  info["isa"] = "portable";
  info["compiler"] = MMI_COMPILER;
  info["version"] = MMI_VERSION;
  return info;
}

}  // namespace

NB_MODULE(_core, m) {
  m.doc() = "Compiled CPU kernels. Use mmi_hpc.kernels, which checks its arguments.";
  m.def("squared_norms", &squared_norms, nb::arg("x").noconvert(), nb::arg("out").noconvert(),
        "threads"_a, "Fill out with dot(row, row); return the first non-finite row, or -1.");
  m.def("cosine_topk", &cosine_topk, nb::arg("queries").noconvert(),
        nb::arg("query_norms").noconvert(), nb::arg("bank").noconvert(),
        nb::arg("bank_norms").noconvert(), "k"_a, "normalize"_a, nb::arg("scores").noconvert(),
        nb::arg("indices").noconvert(), "threads"_a,
        "Fill scores and indices, both (queries, k). Norms are squared.");
  m.def("near_duplicates", &near_duplicates, nb::arg("window").noconvert(),
        nb::arg("window_norms").noconvert(), "first"_a, nb::arg("bank").noconvert(),
        nb::arg("bank_norms").noconvert(), "self_join"_a, "threshold"_a, "threads"_a,
        "Return (i, j, score) of a window of rows against a bank. Norms are squared.");
  bind_kmeans(m);
  m.def("build_info", &build_info, "How this module was built.");
}
