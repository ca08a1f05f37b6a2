#include "core/ordering.h"

#include <doctest/doctest.h>

#include <limits>

#include "cpu/isa/rescore.h"
#include "cpu/topk.h"
#include "tests/values.h"

namespace mmi::tests {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// Scores as they are stored: no NaN, no -0.
std::vector<float> scores_of_all_kinds(Random& random) {
  std::vector<float> scores = {0.0f,       kInfinity, -kInfinity, kLargest, -kLargest, 0x1p-149f,
                               -0x1p-149f, 0x1p-126f, -0x1p-126f, 1.0f,     -1.0f};
  for (const float near : {1.0f, -1.0f, 0.0f, 0.5f}) {
    scores.push_back(std::nextafter(near, 2.0f));
    scores.push_back(std::nextafter(near, -2.0f));
  }
  for (int i = 0; i < 400; ++i) scores.push_back(any_float(random));
  return scores;
}

TEST_CASE("ascending keys are the order of ranks_before") {
  Random random(9);
  const std::vector<float> scores = scores_of_all_kinds(random);
  std::uniform_int_distribution<std::int32_t> row(0, (1 << 25) - 1);
  for (const float a : scores) {
    for (const float b : scores) {
      const std::int32_t i = row(random);
      const std::int32_t j = random() % 4 ? row(random) : i + 1;
      REQUIRE((rank_key(a, i) < rank_key(b, j)) == ranks_before({a, i}, {b, j}));
    }
  }
}

TEST_CASE("a key gives its score and its row back") {
  Random random(10);
  for (const float score : scores_of_all_kinds(random)) {
    for (const std::int32_t row : {0, 1, 77, (1 << 25) - 1, std::numeric_limits<int>::max()}) {
      const std::uint64_t key = rank_key(score, row);
      REQUIRE(bits_of(key_score(key)) == bits_of(score));
      REQUIRE(static_cast<std::uint32_t>(key) == static_cast<std::uint32_t>(row));
    }
  }
}

TEST_CASE("write_best lists the first k of any list in the order of ranks_before") {
  Random random(11);
  for (int repeat = 0; repeat < 200; ++repeat) {
    const int count = 1 + static_cast<int>(random() % 90);
    std::vector<float> scores;
    std::vector<std::int32_t> rows;
    std::vector<Candidate> expected;
    for (int i = 0; i < count; ++i) {
      scores.push_back(static_cast<float>(random() % 7) - 3.0f);  // ties
      rows.push_back(static_cast<std::int32_t>(7 * i));
    }
    std::shuffle(rows.begin(), rows.end(), random);
    for (int i = 0; i < count; ++i) expected.push_back({scores[i], rows[i]});
    std::sort(expected.begin(), expected.end(), ranks_before);

    Candidates candidates = {};
    candidates.k = 1 + static_cast<std::int64_t>(random() % count);
    candidates.capacity = count;
    int counts[] = {count};
    candidates.counts = counts;
    candidates.scores = scores.data();
    candidates.rows = rows.data();
    std::vector<std::uint64_t> keys(static_cast<std::size_t>(count));
    std::vector<float> best(static_cast<std::size_t>(candidates.k));
    std::vector<std::int64_t> indices(best.size());
    write_best(candidates, 0, keys.data(), sort_keys, best.data(), indices.data());
    for (std::size_t i = 0; i < best.size(); ++i) {
      REQUIRE(best[i] == expected[i].score);
      REQUIRE(indices[i] == expected[i].index);
    }
  }
}

TEST_CASE("stored scores have no negative zero and keep their place beyond float32") {
  CHECK(bits_of(stored_float(-0.0)) == 0);
  CHECK(bits_of(stored_float(-1e-60)) == 0);
  CHECK(stored_float(1e300) == kInfinity);
  CHECK(stored_float(-1e300) == -kInfinity);
  CHECK(ranks_before({kInfinity, 9}, {kLargest, 0}));
}

TEST_CASE("a cosine with a zero vector is 0") {
  CHECK(bits_of(cosine_score(0.0, 0.0, 1.0)) == 0);
  CHECK(bits_of(cosine_score(-0.0, 1.0, 1.0)) == 0);
  CHECK(cosine_score(-2.0, 1.0, 2.0) == -1.0f);
}

}  // namespace
}  // namespace mmi::tests
