#include "bind/peak.h"

#include <nanobind/stl/string.h>

#include <string>

#include "bind/arrays.h"
#include "cpu/peak/peak.h"

namespace nb = nanobind;
using nb::literals::operator""_a;

namespace {

double peak_gflops(const std::string& kind, int threads, double seconds) {
  if (threads < 1) throw nb::value_error("at least one thread is needed");
  return mmi::bind::without_gil(threads, [&](const mmi::Execution& execution) {
    return mmi::peak_gflops(kind, seconds, execution);
  });
}

}  // namespace

void bind_peak(nb::module_& m) {
  m.def("peak_gflops", &peak_gflops, "kind"_a, "threads"_a, "seconds"_a,
        "GFLOP/s of all threads in registers; kind is avx2, avx512 or amx; 0 where it is missing.");
}
