#include "core/exact_dot.h"

#include <doctest/doctest.h>

#include "cpu/blocks.h"
#include "cpu/isa.h"
#include "cpu/isa/exact.h"
#include "tests/values.h"

namespace mmi::tests {
namespace {

// The contract word by word: lane after lane, each over its own columns.
template <typename Value, typename Add>
double dot_by_the_book(const std::vector<Value>& x, const std::vector<Value>& y, Add add) {
  double lane[8];
  for (std::size_t l = 0; l < 8; ++l) {
    lane[l] = 0.0;
    for (std::size_t i = l; i < x.size(); i += 8) lane[l] = add(lane[l], x[i], y[i]);
  }
  double s[4];
  for (int l = 0; l < 4; ++l) s[l] = lane[l] + lane[l + 4];
  const double t[2] = {s[0] + s[2], s[1] + s[3]};
  return t[0] + t[1];
}

double add_product(double sum, double x, double y) { return sum + x * y; }
double add_fused(double sum, double x, double y) { return std::fma(x, y, sum); }

std::vector<float> wild_row(std::int64_t d, Random& random) {
  std::vector<float> row;
  for (std::int64_t i = 0; i < d; ++i) row.push_back(any_float(random, -60, 60));
  return row;
}

TEST_CASE("exact_dot adds eight lanes in the order of the contract, fused or not") {
  Random random(1);
  for (std::int64_t d = 0; d <= 70; ++d) {
    for (int repeat = 0; repeat < 20; ++repeat) {
      const std::vector<float> x = wild_row(d, random);
      const std::vector<float> y = wild_row(d, random);
      const std::uint64_t found = bits_of(exact_dot(x.data(), y.data(), d));
      REQUIRE(found == bits_of(dot_by_the_book(x, y, add_product)));
      REQUIRE(found == bits_of(dot_by_the_book(x, y, add_fused)));
    }
  }
}

TEST_CASE("another order of the same additions gives other bits, so the order is seen") {
  Random random(2);
  int different = 0;
  for (int repeat = 0; repeat < 50; ++repeat) {
    const std::vector<float> x = wild_row(40, random);
    const std::vector<float> y = wild_row(40, random);
    double in_one_chain = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) in_one_chain += double{x[i]} * double{y[i]};
    different += in_one_chain != exact_dot(x.data(), y.data(), 40);
  }
  CHECK(different > 10);
}

TEST_CASE("zeros appended up to whole lanes change no bit") {
  Random random(3);
  for (std::int64_t d = 1; d <= 33; ++d) {
    std::vector<float> x = wild_row(d, random);
    std::vector<float> y = wild_row(d, random);
    const double found = exact_dot(x.data(), y.data(), d);
    x.resize(static_cast<std::size_t>(rounded_up(d, kLanes)), 0.0f);
    y.resize(x.size(), -0.0f);
    REQUIRE(bits_of(exact_dot(x.data(), y.data(), rounded_up(d, kLanes))) == bits_of(found));
  }
}

TEST_CASE("a dot of zeros is +0, whatever their signs") {
  for (std::int64_t d = 0; d <= 17; ++d) {
    const std::vector<float> x(static_cast<std::size_t>(d), -0.0f);
    const std::vector<float> y(static_cast<std::size_t>(d), 1.0f);
    REQUIRE(bits_of(exact_dot(x.data(), y.data(), d)) == bits_of(0.0));
  }
}

TEST_CASE("double values are multiplied and rounded in the same order") {
  Random random(4);
  std::normal_distribution<double> normal;
  for (std::int64_t d = 0; d <= 40; ++d) {
    std::vector<double> x;
    std::vector<double> y;
    for (std::int64_t i = 0; i < d; ++i) {
      x.push_back(normal(random));
      y.push_back(normal(random));
    }
    REQUIRE(bits_of(exact_dot(x.data(), y.data(), d)) ==
            bits_of(dot_by_the_book(x, y, add_product)));
  }
}

TEST_CASE("several dots at a time have the bits of one, with a shared row and without") {
  Random random(5);
  for (std::int64_t d = 1; d <= 70; ++d) {
    std::vector<std::vector<float>> rows;
    const float* left[kPairs];
    const float* right[kPairs];
    for (int p = 0; p < 2 * kPairs; ++p) {
      rows.push_back(wild_row(d, random));
      (p < kPairs ? left[p] : right[p - kPairs]) = rows.back().data();
    }
    double dots[kPairs];
    exact_dots<kPairs>(left, right, d, dots);
    for (int p = 0; p < kPairs; ++p) {
      REQUIRE(bits_of(dots[p]) == bits_of(exact_dot(left[p], right[p], d)));
    }
    exact_dots<kPairs / 2>(left[0], right, d, dots);
    for (int p = 0; p < kPairs / 2; ++p) {
      REQUIRE(bits_of(dots[p]) == bits_of(exact_dot(left[0], right[p], d)));
    }
    exact_dots_of(left, right, 5, d, dots);
    for (int p = 0; p < 5; ++p) {
      REQUIRE(bits_of(dots[p]) == bits_of(exact_dot(left[p], right[p], d)));
    }
  }
}

TEST_CASE("squared norms have the bits of exact_dot on every instruction set") {
  Random random(6);
  for (const IsaKernels* kernels : usable_isas()) {
    for (const std::int64_t rows : {1, 3, 4, 5, 11}) {
      for (const std::int64_t d : {1, 7, 8, 9, 31, 32, 33, 100}) {
        Matrix x(rows, d);
        for (float& value : x.values) value = any_float(random);
        std::vector<double> squared(static_cast<std::size_t>(rows));
        kernels->squared_norms(x.view(), squared.data());
        INFO(kernels->name << ", " << rows << " rows of " << d);
        REQUIRE(squared == squared_norms_of_rows(x));
      }
    }
  }
}

}  // namespace
}  // namespace mmi::tests
