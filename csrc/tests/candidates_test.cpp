// The state machine of isa/candidates.h against an adversary: a scan whose errors use up the whole
// bound, in the direction that hurts most, may cost time but never a row of a list.
#include "cpu/isa/candidates.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

#include "core/ordering.h"
#include "cpu/aligned.h"
#include "cpu/isa/fp32_tile.h"
#include "cpu/isa/table.h"
#include "cpu/topk.h"
#include "tests/values.h"

namespace mmi::tests {
namespace {

// Decides the error of the scan score of one query with one bank row.
struct Adversary {
  const std::byte* bank = nullptr;     // panels, to tell which rows a product is about
  const std::byte* queries = nullptr;  // panels
  std::int64_t bank_rows = 0;
  std::int64_t query_rows = 0;
  float residual = 0.0f;      // what packing pretends to have lost, on both sides
  std::vector<float> errors;  // (query, bank row)

  // x.residual * |y| + |x~| * y.residual: the part of the bound that the real scan leaves unused.
  float most() const { return 2.0f * residual + residual * residual; }
};
Adversary adversary;

// The float32 tile with errors on top.
struct LyingTile : Fp32Tile {
  static float scale_row(const float* from, std::int64_t d, float scale0, float scale1,
                         Element* to) {
    Fp32Tile::scale_row(from, d, scale0, scale1, to);
    return adversary.residual * adversary.residual;
  }

  template <bool kBias, Stays stays, typename Between>
  static void multiply(const void* bank_panel, const void* query_panel, std::int64_t d,
                       const float* bias, float* scores, Between&& between) {
    Fp32Tile::multiply<kBias, stays>(bank_panel, query_panel, d, bias, scores, between);
    const std::int64_t first_row =
        (static_cast<const std::byte*>(bank_panel) - adversary.bank) / bank_panel_bytes(d) * kRows;
    const std::int64_t first_query =
        (static_cast<const std::byte*>(query_panel) - adversary.queries) / query_panel_bytes(d) *
        kLanes;
    for (int j = 0; j < kRows * kVectors; ++j) {
      for (int l = 0; l < kWidth; ++l) {
        const std::int64_t row = first_row + row_of(j);
        const std::int64_t query = first_query + vector_of(j) * kWidth + l;
        scores[j * kWidth + l] += error(query, row);
      }
    }
  }

  // Rows that pad the last panel score best of all, and must not be found all the same.
  static float error(std::int64_t query, std::int64_t row) {
    if (query >= adversary.query_rows) return 0.0f;
    if (row >= adversary.bank_rows) return 2.0f;
    return adversary.errors[static_cast<std::size_t>(query * adversary.bank_rows + row)];
  }
};

const IsaKernels kLying = kernels_of<LyingTile>("lying");

// ---- a bank, its exact scores, and the errors that hurt --------------------------------------

struct Scene {
  Matrix queries;
  Matrix bank;
  std::vector<double> query_squared;
  std::vector<double> query_norms;
  std::vector<double> bank_norms;
  std::vector<float> listed;  // (query, bank row)
  AlignedBytes panels;
  PackedView packed;

  Scene(Matrix the_queries, Matrix the_bank, float residual)
      : queries(std::move(the_queries)), bank(std::move(the_bank)) {
    adversary = {};
    adversary.residual = residual;
    adversary.bank_rows = bank.rows;
    adversary.query_rows = queries.rows;
    query_squared = squared_norms_of_rows(queries);
    query_norms = roots(query_squared);
    const std::vector<double> bank_squared = squared_norms_of_rows(bank);
    bank_norms = roots(bank_squared);
    for (std::int64_t q = 0; q < queries.rows; ++q) {
      for (std::int64_t row = 0; row < bank.rows; ++row) {
        const double dot = exact_dot(queries.view().row(q), bank.view().row(row), bank.cols);
        listed.push_back(cosine_score(dot, query_norms[q], bank_norms[row]));
      }
    }
    pack(bank_squared);
    adversary.bank = panels.get();
    adversary.errors.assign(listed.size(), 0.0f);
  }

  const float* scores_of(std::int64_t query) const { return listed.data() + query * bank.rows; }

  std::vector<Candidate> exact_list(std::int64_t query, std::int64_t k) const {
    std::vector<Candidate> all;
    for (std::int64_t row = 0; row < bank.rows; ++row) all.push_back({scores_of(query)[row], row});
    std::sort(all.begin(), all.end(), ranks_before);
    all.resize(static_cast<std::size_t>(k));
    return all;
  }

 private:
  static std::vector<double> roots(std::vector<double> squared) {
    for (double& value : squared) value = std::sqrt(value);
    return squared;
  }

  void pack(const std::vector<double>& squared) {
    const std::int64_t d = bank.cols;
    const std::int64_t count = block_count(bank.rows, LyingTile::kRows);
    panels = aligned_bytes(count * kLying.bank_panel_bytes(d));
    const AlignedBytes scratch = aligned_bytes(kLying.pack_scratch_bytes(d));
    packed = {panels.get(), bank.rows, {1.0 + 0x1p-40, 0.0, 0.0}, nullptr};
    for (std::int64_t p = 0; p < count; ++p) {
      const std::int64_t begin = p * LyingTile::kRows;
      double residuals[LyingTile::kRows] = {};
      kLying.pack_bank_panel(
          {bank.view().slice(begin, std::min(bank.rows, begin + LyingTile::kRows)),
           squared.data() + begin,
           {true, 0},
           panels.get() + p * kLying.bank_panel_bytes(d),
           residuals},
          scratch.get());
      for (const double residual : residuals) {
        packed.bounds.residual = std::max(packed.bounds.residual, residual);
      }
    }
  }
};

enum class Malice { kNone, kAgainstTheList, kAgainstTheBorder, kExtremes, kUniform };

void lie(const Scene& scene, Malice malice, std::int64_t k, Random& random) {
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  const float most = adversary.most();
  for (std::int64_t q = 0; q < scene.queries.rows; ++q) {
    float* errors = adversary.errors.data() + q * scene.bank.rows;
    for (std::int64_t row = 0; row < scene.bank.rows; ++row) {
      if (malice == Malice::kAgainstTheList) errors[row] = most;
      if (malice == Malice::kExtremes) errors[row] = random() & 1 ? most : -most;
      if (malice == Malice::kUniform) errors[row] = most * uniform(random);
    }
    const std::vector<Candidate> list = scene.exact_list(q, std::min(scene.bank.rows, k + 1));
    for (std::size_t rank = 0; rank < list.size(); ++rank) {
      const bool wanted = rank < static_cast<std::size_t>(k);
      if (malice == Malice::kAgainstTheList && wanted) errors[list[rank].index] = -most;
      if (malice == Malice::kAgainstTheBorder && rank + 1 == static_cast<std::size_t>(k)) {
        errors[list[rank].index] = -most;  // the last of the list falls, all before it rise
      } else if (malice == Malice::kAgainstTheBorder) {
        errors[list[rank].index] = most;
      }
    }
  }
}

// ---- top-k -------------------------------------------------------------------------------------

struct TopkResult {
  std::vector<float> scores;
  std::vector<std::int64_t> indices;
  std::vector<std::uint8_t> overflow;
  BlockStats stats;
};

TopkResult search(const Scene& scene, std::int64_t k) {
  const std::int64_t count = scene.queries.rows;
  TopkResult result = {std::vector<float>(static_cast<std::size_t>(count * k)),
                       std::vector<std::int64_t>(static_cast<std::size_t>(count * k)),
                       std::vector<std::uint8_t>(static_cast<std::size_t>(count)),
                       {}};
  std::vector<double> squared(static_cast<std::size_t>(count));
  const AlignedBytes workspace =
      aligned_bytes(kLying.topk_workspace_bytes(count, scene.bank.rows, scene.bank.cols, k));
  adversary.queries = workspace.get();  // packed queries are the first thing in it
  const StopFlag stop;
  result.stats = kLying.topk_block({scene.queries.view(), squared.data(), scene.bank.view(),
                                    scene.bank_norms.data(), scene.packed, 0, k, true, true,
                                    result.scores.data(), result.indices.data(),
                                    result.overflow.data(), sort_keys, workspace.get(), &stop});
  return result;
}

// Every query has its exact list or says that it has none. Returns how many say so.
int check_lists(const Scene& scene, const TopkResult& result, std::int64_t k) {
  int given_up = 0;
  for (std::int64_t q = 0; q < scene.queries.rows; ++q) {
    if (result.overflow[static_cast<std::size_t>(q)]) {
      ++given_up;
      continue;
    }
    const std::vector<Candidate> expected = scene.exact_list(q, k);
    for (std::int64_t i = 0; i < k; ++i) {
      const auto at = static_cast<std::size_t>(q * k + i);
      REQUIRE(result.indices[at] == expected[static_cast<std::size_t>(i)].index);
      REQUIRE(bits_of(result.scores[at]) == bits_of(expected[static_cast<std::size_t>(i)].score));
    }
  }
  return given_up;
}

// Bank rows in an order that is hard on thresholds: by their score with the first query.
enum class Stream { kRandom, kRising, kFalling };

Matrix ordered(const Matrix& queries, const Matrix& bank, Stream stream) {
  if (stream == Stream::kRandom) return bank;
  std::vector<std::pair<double, std::int64_t>> order;
  for (std::int64_t row = 0; row < bank.rows; ++row) {
    const float* y = bank.view().row(row);
    const double cosine =
        exact_dot(queries.view().row(0), y, bank.cols) / std::sqrt(exact_dot(y, y, bank.cols));
    order.emplace_back(stream == Stream::kRising ? cosine : -cosine, row);
  }
  std::sort(order.begin(), order.end());
  Matrix sorted(bank.rows, bank.cols);
  for (std::int64_t i = 0; i < bank.rows; ++i) {
    std::copy_n(bank.view().row(order[static_cast<std::size_t>(i)].second), bank.cols,
                sorted.row(i));
  }
  return sorted;
}

constexpr Malice kAllMalice[] = {Malice::kNone, Malice::kAgainstTheList, Malice::kAgainstTheBorder,
                                 Malice::kExtremes, Malice::kUniform};

TEST_CASE("no error within the bound costs a list one of its rows") {
  Random random(16);
  for (const std::int64_t rows : {5, 40, 511, 513, 1030, 3000}) {
    for (const std::int64_t k : {1, 2, 7, 40}) {
      if (2 * k > rows) continue;
      for (const Stream stream : {Stream::kRandom, Stream::kRising, Stream::kFalling}) {
        for (const float residual : {0.0f, 0.002f, 0.05f}) {
          const Matrix queries = gaussian(LyingTile::kLanes + 3, 6, random);
          const Scene scene(queries, ordered(queries, gaussian(rows, 6, random), stream), residual);
          for (const Malice malice : kAllMalice) {
            lie(scene, malice, k, random);
            INFO(rows << " rows, k = " << k << ", stream " << static_cast<int>(stream)
                      << ", residual " << residual << ", malice " << static_cast<int>(malice));
            check_lists(scene, search(scene, k), k);
          }
        }
      }
    }
  }
}

TEST_CASE("honest scores of ordinary rows are filtered without giving up") {
  Random random(17);
  const Scene scene(gaussian(40, 24, random), gaussian(3000, 24, random), 0.002f);
  for (const std::int64_t k : {1, 10, 100}) {
    const TopkResult result = search(scene, k);
    CHECK(check_lists(scene, result, k) == 0);
    CHECK(result.stats.survivors >= scene.queries.rows * k);
    CHECK(result.stats.survivors < 3 * scene.queries.rows * k);
  }
}

TEST_CASE("scores that the bound cannot tell apart are given up, not cut off") {
  Random random(18);
  Matrix bank = gaussian(2000, 6, random);
  for (std::int64_t i = 1; i < bank.rows; ++i) std::copy_n(bank.row(0), 6, bank.row(i));
  Matrix queries = gaussian(5, 6, random);
  for (const std::int64_t k : {1, 3, 20}) {
    const Scene scene(queries, bank, 0.01f);
    CHECK(check_lists(scene, search(scene, k), k) == queries.rows);
  }
}

TEST_CASE("ties that fit the list are listed by ascending index") {
  Random random(19);
  const Matrix some = gaussian(30, 6, random);
  Matrix bank(900, 6);
  for (std::int64_t i = 0; i < bank.rows; ++i) {
    std::copy_n(some.view().row(static_cast<std::int64_t>(random() % 30)), 6, bank.row(i));
  }
  const Scene scene(gaussian(9, 6, random), bank, 0.001f);
  for (const std::int64_t k : {2, 50}) CHECK(check_lists(scene, search(scene, k), k) == 0);
}

TEST_CASE("the workspace of a panel of queries does not pay for a large block") {
  for (const std::int64_t k : {1000, 100000}) {
    const auto bytes = [&](std::int64_t queries) {
      return kLying.topk_workspace_bytes(queries, 1 << 20, 64, k);
    };
    CHECK(bytes(LyingTile::kLanes) < bytes(64 * LyingTile::kLanes) / 8);
  }
}

TEST_CASE("queries without a direction are given up") {
  Random random(20);
  Matrix queries = gaussian(4, 6, random);
  std::fill_n(queries.row(2), 6, 0.0f);
  const Scene scene(queries, gaussian(600, 6, random), 0.001f);
  const TopkResult result = search(scene, 3);
  CHECK(result.overflow == std::vector<std::uint8_t>{0, 0, 1, 0});
}

// ---- pairs above a threshold ------------------------------------------------------------------

using PairSet = std::set<std::pair<std::int64_t, std::int64_t>>;

PairSet join(const Scene& scene, float threshold, bool self_join) {
  const AlignedBytes workspace =
      aligned_bytes(kLying.join_workspace_bytes(scene.queries.rows, scene.bank.cols));
  adversary.queries = workspace.get();
  PairSet found;
  const StopFlag stop;
  kLying.join_block({scene.queries.view(), scene.query_squared.data(), scene.query_norms.data(),
                     scene.bank.view(), scene.bank_norms.data(), scene.packed, threshold, self_join,
                     0, &found,
                     [](void* pairs, std::int64_t query, std::int64_t row, float) {
                       static_cast<PairSet*>(pairs)->insert({query, row});
                     },
                     workspace.get(), &stop});
  return found;
}

TEST_CASE("no error within the bound hides or invents a pair") {
  Random random(21);
  for (const bool self_join : {false, true}) {
    const Matrix bank = gaussian(403, 6, random);
    const Scene scene(self_join ? bank : gaussian(70, 6, random), bank, 0.02f);
    for (const float threshold : {-1.0f, 0.0f, 0.8f, 0.99f}) {
      PairSet expected;
      for (std::int64_t q = 0; q < scene.queries.rows; ++q) {
        for (std::int64_t row = 0; row < scene.bank.rows; ++row) {
          const bool reached = scene.scores_of(q)[row] >= threshold;
          if (reached && (!self_join || row > q)) expected.insert({q, row});
          // Pairs seem farther away than they are, and all others nearer.
          adversary.errors[static_cast<std::size_t>(q * scene.bank.rows + row)] =
              reached ? -adversary.most() : adversary.most();
        }
      }
      INFO("threshold " << threshold << ", self-join " << self_join);
      REQUIRE(join(scene, threshold, self_join) == expected);
    }
  }
}

}  // namespace
}  // namespace mmi::tests
