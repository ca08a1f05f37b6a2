// What every binding needs: arrays in, arrays out, and a call without the GIL.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <cstdint>
#include <utility>
#include <vector>

#include "cpu/parallel.h"
#include "cpu/scores.h"

namespace mmi::bind {

namespace nb = nanobind;

using Rows = nb::ndarray<const float, nb::ndim<2>, nb::c_contig, nb::device::cpu>;
using Doubles = nb::ndarray<const double, nb::ndim<1>, nb::c_contig, nb::device::cpu>;
template <typename Value>
using Output = nb::ndarray<Value, nb::c_contig, nb::device::cpu>;

inline MatrixView view(const Rows& x) {
  return {x.data(), static_cast<std::int64_t>(x.shape(0)), static_cast<std::int64_t>(x.shape(1))};
}

inline NormedRows normed(const Rows& x, const Doubles& squared_norms) {
  if (squared_norms.shape(0) != x.shape(0)) {
    throw nb::value_error("one squared norm per row is needed");
  }
  return {view(x), squared_norms.data()};
}

inline void raise_pending_signal() {
  const nb::gil_scoped_acquire gil;
  if (PyErr_CheckSignals() != 0) throw nb::python_error();
}

template <typename Call>
auto without_gil(int threads, const Call& call) {
  const Execution execution(threads, raise_pending_signal);
  const DefaultFloatEnvironment environment;
  const nb::gil_scoped_release release;
  return call(execution);
}

// A NumPy array that owns the vector's memory.
template <typename Value>
auto to_numpy(std::vector<Value> values, std::vector<std::size_t> shape) {
  auto* owned = new std::vector<Value>(std::move(values));
  const nb::capsule owner(owned,
                          [](void* p) noexcept { delete static_cast<std::vector<Value>*>(p); });
  return nb::ndarray<nb::numpy, Value>(owned->data(), shape.size(), shape.data(), owner);
}

}  // namespace mmi::bind
