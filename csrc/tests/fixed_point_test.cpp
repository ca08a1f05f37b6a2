#include "core/fixed_point.h"

#include <doctest/doctest.h>

#include <cmath>
#include <numeric>

#include "cpu/isa.h"
#include "tests/values.h"

namespace mmi::tests {
namespace {

TEST_CASE("a value becomes the nearest whole number of steps, ties to even") {
  for (const int exponent : {-60, 0, 40, 300}) {
    const FixedPoint sums(exponent);
    const double step = std::ldexp(1.0, -exponent);
    CHECK(sums.quantise(0.0) == 0);
    CHECK(sums.quantise(step) == 1);
    CHECK(sums.quantise(0.5 * step) == 0);
    CHECK(sums.quantise(1.5 * step) == 2);
    CHECK(sums.quantise(2.5 * step) == 2);
    CHECK(sums.quantise(-1.5 * step) == -2);
    CHECK(sums.value(3) == 3 * step);
  }
}

TEST_CASE("every instruction set adds rows as quantise does, and takes them back exactly") {
  Random random(9);
  for (const IsaKernels* kernels : usable_isas()) {
    for (const std::int64_t d : {1, 7, 8, 15, 16, 17, 100}) {
      Matrix x(3, d);
      for (float& value : x.values) value = any_float(random, -40, 20);
      const FixedPoint scale(38);
      const ScaledRow rows[] = {{0, scale.scale()}, {2, 0.3 * scale.scale()}, {1, -scale.scale()}};
      std::vector<std::uint64_t> sums(static_cast<std::size_t>(d), 5);
      kernels->add_rows(x.view(), rows, rows + 3, sums.data());
      for (std::int64_t j = 0; j < d; ++j) {
        std::int64_t expected = 5;
        for (const ScaledRow& row : rows) {
          expected += std::llrint(static_cast<double>(x.view().row(row.row)[j]) * row.factor);
        }
        REQUIRE(static_cast<std::int64_t>(sums[static_cast<std::size_t>(j)]) == expected);
      }
      const ScaledRow back[] = {{0, -rows[0].factor}, {2, -rows[1].factor}, {1, -rows[2].factor}};
      kernels->add_rows(x.view(), back, back + 3, sums.data());
      for (const std::uint64_t sum : sums) REQUIRE(sum == 5);
    }
  }
}

TEST_CASE("a sum has the same bits in any order") {
  Random random(8);
  std::vector<double> values;
  for (int i = 0; i < 1000; ++i) values.push_back(any_float(random, -40, 3));
  const FixedPoint sums(46);
  const auto total = [&] {
    return std::accumulate(values.begin(), values.end(), std::int64_t{0},
                           [&](std::int64_t sum, double v) { return sum + sums.quantise(v); });
  };
  const std::int64_t expected = total();
  for (int repeat = 0; repeat < 20; ++repeat) {
    std::shuffle(values.begin(), values.end(), random);
    REQUIRE(total() == expected);
  }
}

}  // namespace
}  // namespace mmi::tests
