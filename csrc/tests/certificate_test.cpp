// Attacks the bound of core/certificate.h: rows made to round badly, packed by several roundings,
// and summed in the worst orders that a vector or matrix unit could choose.
#include "core/certificate.h"

#include <doctest/doctest.h>

#include <cfloat>
#include <functional>
#include <string>

#include "core/ordering.h"
#include "cpu/aligned.h"
#include "cpu/isa.h"
#include "cpu/isa/pack.h"
#include "cpu/packed_bank.h"
#include "cpu/topk.h"
#include "tests/values.h"

namespace mmi::tests {
namespace {

// ---- packing, in software ------------------------------------------------------------------

enum class Format { kFloat32, kBfloat16, kBfloat16Truncated };

float as_bfloat16(float value, bool truncated) {
  std::uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  if (!truncated) bits += 0x7fff + (bits >> 16 & 1);
  bits &= 0xffff0000u;
  std::memcpy(&value, &bits, sizeof bits);
  return value;
}

struct PackedRow {
  std::vector<float> values;
  PackedBounds bounds;
};

PackedRow packed(const std::vector<float>& row, double squared, const Scaling& scaling,
                 Format format) {
  const RowScale scale = scale_of(scaling, squared);
  const auto d = static_cast<std::int64_t>(row.size());
  PackedRow result;
  float lost = 0.0f;
  for (const float value : row) {
    const float scaled = value * scale.first * scale.second;
    const float rounded = format == Format::kFloat32
                              ? scaled
                              : as_bfloat16(scaled, format == Format::kBfloat16Truncated);
    lost += (scaled - rounded) * (scaled - rounded);
    result.values.push_back(rounded);
  }
  const double norm = scaled_norm(scaling, squared);
  result.bounds = {norm, certificate::residual_bound(lost, norm, d), 0.0};
  return result;
}

// ---- accumulation, in software -------------------------------------------------------------

struct Unit {
  const char* name;
  bool truncates;  // additions round towards zero
  bool fused;
  bool flushes;  // subnormal operands and results are zero
};

constexpr Unit kUnits[] = {{"nearest", false, false, false},
                           {"fused", false, true, false},
                           {"truncating", true, false, false},
                           {"truncating and flushing", true, false, true}};

float flushed(const Unit& unit, float value) {
  return unit.flushes && std::fabs(value) < FLT_MIN ? 0.0f : value;
}

float added(const Unit& unit, float a, float b) {
  float sum = a + b;
  if (unit.truncates) {
    const float of_b = sum - a;
    const float lost = (a - (sum - of_b)) + (b - of_b);  // exactly a + b - sum
    if ((sum > 0.0f && lost < 0.0f) || (sum < 0.0f && lost > 0.0f)) {
      sum = std::nextafter(sum, 0.0f);
    }
  }
  return flushed(unit, sum);
}

float multiplied_and_added(const Unit& unit, float sum, float x, float y) {
  if (unit.fused) return std::fma(x, y, sum);
  return added(unit, sum, flushed(unit, flushed(unit, x) * flushed(unit, y)));
}

using Order = std::vector<std::size_t>;

std::vector<Order> orders_of(const std::vector<float>& x, const std::vector<float>& y,
                             Random& random) {
  Order natural(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) natural[i] = i;
  const auto product = [&](std::size_t i) { return static_cast<double>(x[i]) * y[i]; };
  std::vector<Order> orders(5, natural);
  const auto sort = [&](Order& order, const std::function<double(std::size_t)>& key) {
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return key(a) < key(b); });
  };
  sort(orders[1], [&](std::size_t i) { return std::fabs(product(i)); });
  sort(orders[2], [&](std::size_t i) { return -std::fabs(product(i)); });
  sort(orders[3], [&](std::size_t i) { return -product(i); });
  std::shuffle(orders[4].begin(), orders[4].end(), random);
  return orders;
}

float in_a_chain(const Unit& unit, const PackedRow& x, const PackedRow& y, const Order& order,
                 float bias) {
  float sum = bias;
  for (const std::size_t i : order) {
    sum = multiplied_and_added(unit, sum, x.values[i], y.values[i]);
  }
  return sum;
}

float in_a_tree(const Unit& unit, const PackedRow& x, const PackedRow& y, float bias) {
  std::vector<float> sums;
  for (std::size_t i = 0; i < x.values.size(); ++i) {
    sums.push_back(multiplied_and_added(unit, 0.0f, x.values[i], y.values[i]));
  }
  for (std::size_t count = sums.size(); count > 1; count = (count + 1) / 2) {
    for (std::size_t i = 0; i + 1 < count; i += 2) sums[i / 2] = added(unit, sums[i], sums[i + 1]);
    if (count % 2) sums[count / 2] = sums[count - 1];
  }
  return added(unit, sums[0], bias);
}

// ---- rows ------------------------------------------------------------------------------------

using Row = std::vector<float>;
using RowMaker = std::function<Row(std::int64_t d, Random& random)>;

template <typename Element>
Row row_of(std::int64_t d, Element element) {
  Row row;
  for (std::int64_t i = 0; i < d; ++i) row.push_back(static_cast<float>(element(i)));
  return row;
}

struct Family {
  const char* name;
  RowMaker make;
};

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"gaussian",
       [](std::int64_t d, Random& random) {
         std::normal_distribution<double> normal;
         return row_of(d, [&](std::int64_t) { return normal(random); });
       }},
      // 1 / sqrt(d) everywhere: all components round alike.
      {"flat", [](std::int64_t d, Random&) { return row_of(d, [](std::int64_t) { return 1; }); }},
      {"alternating",
       [](std::int64_t d, Random&) {
         return row_of(d, [](std::int64_t i) { return i % 2 ? -1.0 : 1.0; });
       }},
      // One large component sets the scale, and all others lie just beside a rounding border.
      {"beside a border",
       [](std::int64_t d, Random& random) {
         return row_of(d, [&](std::int64_t i) {
           const int exponent = -static_cast<int>(random() % 4) - 6;
           return i == 0 ? 1.0 : std::ldexp(1.0 + 0x1p-8 + 0x1p-20, exponent);
         });
       }},
      {"huge dynamic range",
       [](std::int64_t d, Random& random) {
         return row_of(d, [&](std::int64_t) { return any_float(random, -140, 110); });
       }},
      {"falling powers of two",
       [](std::int64_t d, Random&) {
         return row_of(d,
                       [](std::int64_t i) { return std::ldexp(1.0, -static_cast<int>(i % 140)); });
       }},
      {"subnormal",
       [](std::int64_t d, Random& random) {
         return row_of(d, [&](std::int64_t) { return any_float(random, -149, -127); });
       }},
      {"largest finite",
       [](std::int64_t d, Random&) {
         return row_of(d, [](std::int64_t i) { return i % 3 ? FLT_MAX : -FLT_MAX; });
       }},
  };
  return all;
}

// ---- what a scan may be off ------------------------------------------------------------------

enum class Score { kCosine, kInnerProduct, kEuclidean };

struct Problem {
  PackedRow query;
  PackedRow bank;
  std::int64_t d;
  float bias;
  double listed;  // the listed score in the units of the scan
  float bound;
};

Problem problem_of(const Row& x, const Row& y, Score score, Format format) {
  const auto d = static_cast<std::int64_t>(x.size());
  const double xx = exact_dot(x.data(), x.data(), d);
  const double yy = exact_dot(y.data(), y.data(), d);
  const double xy = exact_dot(x.data(), y.data(), d);
  const double both[] = {xx, yy};
  const Scaling unit = {true, 0};
  if (score == Score::kCosine) {
    Problem p = {packed(x, xx, unit, format),
                 packed(y, yy, unit, format),
                 d,
                 0.0f,
                 cosine_score(xy, std::sqrt(xx), std::sqrt(yy)),
                 0.0f};
    p.bound = certificate::scan_error(p.query.bounds, p.bank.bounds, d, 0.0);
    return p;
  }
  if (score == Score::kInnerProduct) {
    const int exponent = scaling_exponent(&yy, 1);
    const double scale = std::ldexp(std::sqrt(xx), -exponent);
    Problem p = {packed(x, xx, unit, format),
                 packed(y, yy, {false, exponent}, format),
                 d,
                 0.0f,
                 static_cast<double>(stored_float(xy)) / scale,
                 0.0f};
    const double listed_error = scale >= 0x1p127 ? INFINITY : 0x1p-150 / scale;
    p.bound = certificate::scan_error(p.query.bounds, p.bank.bounds, d, listed_error);
    return p;
  }
  const int exponent = scaling_exponent(both, 2);
  const double bias = -0.5 * std::ldexp(yy, 2 * exponent);
  Problem p = {packed(x, xx, {false, exponent}, format),
               packed(y, yy, {false, exponent}, format),
               d,
               static_cast<float>(bias),
               std::ldexp(xy - 0.5 * yy, 2 * exponent),
               0.0f};
  p.bank.bounds.bias = -bias;
  p.bound = certificate::scan_error(p.query.bounds, p.bank.bounds, d, 0.0);
  return p;
}

// The largest error of any unit and order.
double worst_error(const Problem& p, Random& random) {
  double worst = 0.0;
  const std::vector<Order> orders = orders_of(p.query.values, p.bank.values, random);
  for (const Unit& unit : kUnits) {
    const auto consider = [&](float scan) {
      worst = std::max(worst, std::fabs(static_cast<double>(scan) - p.listed));
    };
    consider(in_a_tree(unit, p.query, p.bank, p.bias));
    for (const Order& order : orders) {
      consider(in_a_chain(unit, p.query, p.bank, order, p.bias));
    }
  }
  return worst;
}

constexpr std::int64_t kDims[] = {1, 2, 3, 7, 8, 9, 31, 33, 100, 384, 768, 1000, 4096};

TEST_CASE("no packing, order of additions or rounding mode goes beyond the bound") {
  Random random(12);
  for (const Family& left : families()) {
    for (const Family& right : families()) {
      for (const std::int64_t d : kDims) {
        if (d > 1000 && &left != &right) continue;
        const Row x = left.make(d, random);
        const Row y = right.make(d, random);
        for (const Score score : {Score::kCosine, Score::kInnerProduct, Score::kEuclidean}) {
          for (const Format format :
               {Format::kFloat32, Format::kBfloat16, Format::kBfloat16Truncated}) {
            const Problem p = problem_of(x, y, score, format);
            INFO(left.name << " against " << right.name << ", d = " << d << ", score "
                           << static_cast<int>(score) << ", format " << static_cast<int>(format));
            REQUIRE(p.bound > 0.0f);
            REQUIRE(worst_error(p, random) <= static_cast<double>(p.bound));
          }
        }
      }
    }
  }
}

TEST_CASE("the bound holds for two copies of a row and for a row against its negative") {
  Random random(13);
  for (const Family& family : families()) {
    for (const std::int64_t d : {5, 64, 700}) {
      const Row x = family.make(d, random);
      Row y = x;
      for (const bool negated : {false, true}) {
        if (negated) std::transform(x.begin(), x.end(), y.begin(), std::negate<>());
        for (const Format format : {Format::kFloat32, Format::kBfloat16}) {
          const Problem p = problem_of(x, y, Score::kCosine, format);
          INFO(family.name << ", d = " << d);
          REQUIRE(worst_error(p, random) <= static_cast<double>(p.bound));
        }
      }
    }
  }
}

TEST_CASE("the bound is not vacuous: rows that round alike come close to it") {
  Random random(14);
  double closest[2] = {0.0, 0.0};
  for (std::int64_t d = 1; d <= 600; d += 7) {
    const Row flat(static_cast<std::size_t>(d), 1.0f);
    for (const Format format : {Format::kFloat32, Format::kBfloat16}) {
      const Problem p = problem_of(flat, flat, Score::kCosine, format);
      double& best = closest[format == Format::kBfloat16];
      best = std::max(best, worst_error(p, random) / static_cast<double>(p.bound));
    }
  }
  CHECK(closest[0] > 1.0 / 20);  // float32: the accumulation alone
  CHECK(closest[1] > 1.0 / 2);   // bfloat16: the rounding of the values
}

TEST_CASE("rows too long for the classical bound get an infinite one") {
  const PackedBounds unit = {1.0, 0.0, 0.0};
  CHECK(std::isfinite(certificate::scan_error(unit, unit, 1 << 20, 0.0)));
  CHECK(std::isinf(certificate::scan_error(unit, unit, 1 << 23, 0.0)));
}

// ---- the units of this machine -----------------------------------------------------------------

struct PackedMatrix {
  AlignedBytes panels;
  std::vector<double> residuals;
};

using Pack = void (*)(const PackJob&, std::byte*);

PackedMatrix packed_by(const IsaKernels& kernels, const Matrix& x,
                       const std::vector<double>& squared, int panel_rows, std::int64_t panel_bytes,
                       Pack pack) {
  const std::int64_t panels = (x.rows + panel_rows - 1) / panel_rows;
  PackedMatrix result = {aligned_bytes(panels * panel_bytes),
                         std::vector<double>(static_cast<std::size_t>(panels * panel_rows))};
  const AlignedBytes scratch = aligned_bytes(kernels.pack_scratch_bytes(x.cols));
  for (std::int64_t p = 0; p < panels; ++p) {
    const std::int64_t begin = p * panel_rows;
    const std::int64_t end = std::min(x.rows, begin + panel_rows);
    pack({x.view().slice(begin, end),
          squared.data() + begin,
          {true, 0},
          result.panels.get() + p * panel_bytes,
          result.residuals.data() + begin},
         scratch.get());
  }
  return result;
}

Matrix matrix_of(const Family& family, std::int64_t rows, std::int64_t d, Random& random) {
  Matrix matrix(rows, d);
  for (std::int64_t i = 0; i < rows; ++i) {
    const Row row = family.make(d, random);
    std::copy(row.begin(), row.end(), matrix.row(i));
  }
  return matrix;
}

void check_scan(const IsaKernels& kernels, const Matrix& queries, const Matrix& bank) {
  const std::int64_t d = bank.cols;
  const std::vector<double> bank_squared = squared_norms_of_rows(bank);
  const PackedMatrix bank_packed = packed_by(kernels, bank, bank_squared, kernels.bank_panel_rows,
                                             kernels.bank_panel_bytes(d), kernels.pack_bank_panel);
  const std::vector<double> squared = squared_norms_of_rows(queries);
  const PackedMatrix query_packed =
      packed_by(kernels, queries, squared, kernels.query_panel_rows, kernels.query_panel_bytes(d),
                kernels.pack_query_panel);
  std::vector<double> bank_norms = bank_squared;
  for (double& norm : bank_norms) norm = std::sqrt(norm);
  const PackedBounds bounds = {
      1.0 + 0x1p-40, *std::max_element(bank_packed.residuals.begin(), bank_packed.residuals.end()),
      0.0};

  // All scan scores of every query: the whole bank is its list, and nothing is rescored.
  const std::int64_t k = bank.rows;
  std::vector<double> squared_again(squared.size());
  std::vector<float> scores(static_cast<std::size_t>(queries.rows * k));
  std::vector<std::int64_t> indices(scores.size());
  std::vector<std::uint8_t> overflow(squared.size());
  const AlignedBytes workspace =
      aligned_bytes(kernels.topk_workspace_bytes(queries.rows, bank.rows, d, k));
  const StopFlag stop;
  kernels.topk_block({queries.view(),
                      squared_again.data(),
                      bank.view(),
                      bank_norms.data(),
                      {bank_packed.panels.get(), bank.rows, bounds, nullptr},
                      0,
                      k,
                      true,
                      false,
                      scores.data(),
                      indices.data(),
                      overflow.data(),
                      sort_keys,
                      workspace.get(),
                      &stop});
  for (std::int64_t q = 0; q < queries.rows; ++q) {
    REQUIRE(overflow[static_cast<std::size_t>(q)] == 0);
    const auto query = static_cast<std::size_t>(q);
    const double bound = certificate::scan_error(
        {1.0 + 0x1p-40, query_packed.residuals[query], 0.0}, bounds, d, 0.0);
    for (std::int64_t i = q * k; i < (q + 1) * k; ++i) {
      const std::int64_t row = indices[static_cast<std::size_t>(i)];
      const double dot = exact_dot(queries.view().row(q), bank.view().row(row), d);
      const double listed = cosine_score(dot, std::sqrt(squared[query]), bank_norms[row]);
      REQUIRE(std::fabs(static_cast<double>(scores[static_cast<std::size_t>(i)]) - listed) <=
              bound);
    }
  }
}

TEST_CASE("the scan of every instruction set of this machine keeps the bound") {
  Random random(15);
  for (const IsaKernels* kernels : usable_isas()) {
    for (const Family& family : families()) {
      for (const std::int64_t d : {1, 8, 33, 500, 2100}) {
        INFO(kernels->name << ", " << family.name << ", d = " << d);
        check_scan(*kernels, matrix_of(family, 35, d, random), matrix_of(family, 70, d, random));
      }
    }
  }
}

}  // namespace
}  // namespace mmi::tests
