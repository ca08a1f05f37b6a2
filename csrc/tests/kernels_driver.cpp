// Calls every entry point of csrc/cpu over a small matrix of shapes, on every instruction set of
// this machine: the program that the sanitizers watch.
//
// Each instruction set gets a process of its own, because a process chooses once; MMI_ISA restricts
// the run to one. Results are compared with the exact search, so that a run without sanitizers says
// something too.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>

#include "cpu/exact_nearest.h"
#include "cpu/exact_topk.h"
#include "cpu/isa.h"
#include "cpu/near_duplicates.h"
#include "cpu/nearest.h"
#include "cpu/packed_bank.h"
#include "cpu/peak/peak.h"
#include "cpu/squared_norms.h"
#include "cpu/topk.h"
#include "tests/values.h"

namespace mmi::tests {
namespace {

void no_poll() {}

void expect(bool truth, const std::string& what) {
  if (!truth) throw std::logic_error(std::string(isa().name) + ": " + what);
}

struct Shape {
  std::int64_t queries;
  std::int64_t bank;
  std::int64_t d;
  std::int64_t k;
};

// Both sides of panels, lanes, the rows that prime, parts of the bank, and rescoring by row.
constexpr Shape kShapes[] = {{1, 2, 1, 1},      {9, 33, 7, 3},     {33, 65, 33, 30},
                             {49, 513, 32, 10}, {25, 1100, 24, 1}, {40, 1300, 300, 20},
                             {3, 8300, 8, 4}};

std::string named(const Shape& shape, int threads) {
  return std::to_string(shape.queries) + " x " + std::to_string(shape.bank) +
         ", d = " + std::to_string(shape.d) + ", k = " + std::to_string(shape.k) + ", " +
         std::to_string(threads) + " threads";
}

// Gaussian rows, some of them copies of others (ties), one of zeros.
Matrix rows_with_ties(std::int64_t rows, std::int64_t d, std::uint64_t seed) {
  Random random(seed);
  Matrix matrix = gaussian(rows, d, random);
  for (std::int64_t i = 1; i < rows; i += 3) std::copy_n(matrix.row(i / 2), d, matrix.row(i));
  if (rows > 2) std::fill_n(matrix.row(2), d, 0.0f);
  return matrix;
}

// A matrix and its squared norms.
struct Normed {
  Matrix matrix;
  std::vector<double> squared;

  Normed(Matrix rows, const Execution& execution)
      : matrix(std::move(rows)), squared(static_cast<std::size_t>(matrix.rows)) {
    expect(squared_norms(matrix.view(), squared.data(), execution) == -1, "rows are not finite");
  }
  NormedRows rows() const { return {matrix.view(), squared.data()}; }
  PackedBank packed(bool normalize, const Execution& execution) const {
    return PackedBank(matrix.view(), squared, bank_scaling(normalize, squared), false, execution);
  }
};

struct Lists {
  std::vector<float> scores;
  std::vector<std::int64_t> indices;

  Lists(std::int64_t queries, std::int64_t k)
      : scores(static_cast<std::size_t>(queries * k)), indices(scores.size()) {}
  TopkOutput output() { return {scores.data(), indices.data()}; }
  bool operator==(const Lists& other) const {
    return scores == other.scores && indices == other.indices;
  }
};

void search(const Normed& queries, const Normed& bank, const Shape& shape, const Execution& run) {
  for (const bool normalize : {true, false}) {
    Lists expected(shape.queries, shape.k);
    exact_topk(queries.rows(), bank.rows(), shape.k, normalize, expected.output(), run);
    const PackedBank packed = bank.packed(normalize, run);
    Lists found(shape.queries, shape.k);
    filtered_topk(queries.matrix.view(), packed, shape.k, true, found.output(), run);
    expect(found == expected, "top-k differs: " + named(shape, run.threads()));
    filtered_topk(queries.matrix.view(), packed, shape.k, false, found.output(), run);
  }
}

void join(const Normed& x, const Normed& bank, const Execution& run) {
  constexpr std::int64_t kMost = 1 << 20;
  const PackedBank packed = bank.packed(true, run);
  const PackedBank own = x.packed(true, run);
  for (const float threshold : {0.5f, 0.99f}) {
    near_duplicates({x.rows(), 0}, packed, false, threshold, kMost, run);
    const JoinResult all = near_duplicates({x.rows(), 0}, own, true, threshold, kMost, run);
    expect(all.complete, "a small join has too many pairs");
    if (!all.pairs.empty()) {
      const auto one_less = static_cast<std::int64_t>(all.pairs.size()) - 1;
      expect(!near_duplicates({x.rows(), 0}, own, true, threshold, one_less, run).complete,
             "a join returns more pairs than it may");
    }
  }
}

// A bank that is cut in two: the rows before the second part have negative numbers in it.
void join_parts(const Normed& x, const Execution& run) {
  constexpr std::int64_t kMost = 1 << 20;
  const std::int64_t half = x.matrix.rows / 2;
  Matrix tail(x.matrix.rows - half, x.matrix.cols);
  std::copy_n(x.matrix.view().row(half), tail.values.size(), tail.values.data());
  const Normed later(std::move(tail), run);
  const JoinResult all =
      near_duplicates({x.rows(), 0}, x.packed(true, run), true, 0.5f, kMost, run);
  const JoinResult found =
      near_duplicates({x.rows(), -half}, later.packed(true, run), true, 0.5f, kMost, run);
  std::size_t at = 0;
  for (const Pair& pair : all.pairs) {
    if (pair.j < half) continue;
    expect(at < found.pairs.size() && found.pairs[at].i == pair.i - half &&
               found.pairs[at].j == pair.j - half,
           "a join with a later part lacks a pair");
    ++at;
  }
  expect(at == found.pairs.size(), "a join with a later part invents a pair");
}

void assign(const Normed& x, const Normed& bank, const Execution& run) {
  for (const Metric metric : {Metric::kCosine, Metric::kEuclidean}) {
    std::vector<std::int64_t> expected(x.squared.size());
    exact_nearest(x.rows(), bank.rows(), metric, expected.data(), run);
    std::vector<std::int64_t> labels(x.squared.size());
    nearest(PackedRows(x.rows(), metric, run), bank.matrix.view(), labels.data(), run);
    expect(labels == expected, "labels differ");
  }
}

void matrix_of_shapes() {
  for (const int threads : {1, 2, 8}) {
    const Execution run(threads, no_poll);
    for (const Shape& shape : kShapes) {
      const Normed queries(rows_with_ties(shape.queries, shape.d, 1), run);
      const Normed bank(rows_with_ties(shape.bank, shape.d, 2), run);
      search(queries, bank, shape, run);
      join(queries, bank, run);
      join_parts(queries, run);
      assign(bank, queries, run);
    }
  }
}

// Thousands of equal rows: lists overflow, and every row is scored.
void overflow() {
  const Execution run(2, no_poll);
  Matrix same(3000, 5);
  std::fill(same.values.begin(), same.values.end(), 1.0f);
  const Normed bank(std::move(same), run);
  const Normed queries(rows_with_ties(20, 5, 3), run);
  search(queries, bank, {20, 3000, 5, 4}, run);
  assign(queries, bank, run);
}

void bad_rows() {
  const Execution run(2, no_poll);
  const Normed bank(rows_with_ties(700, 9, 4), run);
  Matrix queries = rows_with_ties(50, 9, 5);
  queries.row(31)[8] = INFINITY;
  Lists found(50, 3);
  const TopkStats stats =
      filtered_topk(queries.view(), bank.packed(true, run), 3, true, found.output(), run);
  expect(stats.bad_row == 31, "a row that is not finite is not named");
}

void concurrent_callers() {
  const Execution one(1, no_poll);
  const Normed bank(rows_with_ties(1500, 40, 6), one);
  const Normed queries(rows_with_ties(90, 40, 7), one);
  const PackedBank packed = bank.packed(true, one);
  Lists expected(90, 5);
  exact_topk(queries.rows(), bank.rows(), 5, true, expected.output(), one);
  std::atomic<int> equal{0};
  std::vector<std::thread> callers;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      const Execution run(2, no_poll);
      Lists found(90, 5);
      filtered_topk(queries.matrix.view(), packed, 5, true, found.output(), run);
      equal += found == expected;
      join(queries, bank, run);
    });
  }
  for (std::thread& caller : callers) caller.join();
  expect(equal == 4, "callers at the same time disturb each other");
}

struct Interrupted {};

template <typename Call>
void expect_interrupted(const Call& call, const std::string& what) {
  const Execution run(4, [] { throw Interrupted{}; });
  std::this_thread::sleep_for(Execution::kPollInterval);  // the first poll is due
  try {
    call(run);
  } catch (const Interrupted&) {
    return;
  }
  expect(false, what + " goes on when it is interrupted");
}

// Interrupted before the first task, and in the middle of long ones.
void interruption() {
  const Execution one(1, no_poll);
  const Normed bank(rows_with_ties(40000, 16, 8), one);
  const PackedBank packed = bank.packed(true, one);
  Lists found(bank.matrix.rows, 9);
  const auto long_search = [&](const Execution& run) {
    filtered_topk(bank.matrix.view(), packed, 9, true, found.output(), run);
  };
  expect_interrupted(long_search, "a search");
  expect_interrupted([&](const Execution& run) { bank.packed(true, run); }, "packing");
  int polls = 0;
  const Execution run(4, [&] {
    if (++polls == 2) throw Interrupted{};
  });
  try {
    for (;;) long_search(run);
  } catch (const Interrupted&) {
  }
  try {
    near_duplicates({bank.rows(), 0}, packed, true, 0.9f, 1 << 30,
                    Execution(4, [] { throw Interrupted{}; }));
  } catch (const Interrupted&) {
  }
}

void peaks() {
  const Execution run(2, no_poll);
  for (const char* kind : {"avx2", "avx512", "amx"}) {
    expect(peak_gflops(kind, 0.01, run) >= 0.0, "a peak is negative");
  }
}

int run_here() {
  try {
    matrix_of_shapes();
    overflow();
    bad_rows();
    concurrent_callers();
    interruption();
    peaks();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
  std::printf("%s: well\n", isa().name);
  return 0;
}

int run_in_child(const char* program, const char* name) {
  const pid_t child = fork();
  if (child == 0) {
    setenv("MMI_ISA", name, 1);
    execl("/proc/self/exe", program, static_cast<char*>(nullptr));
    _exit(127);
  }
  int status = 0;
  if (child < 0 || waitpid(child, &status, 0) != child) return 1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

}  // namespace
}  // namespace mmi::tests

int main(int, char** arguments) {
  if (std::getenv("MMI_ISA") != nullptr) return mmi::tests::run_here();
  int code = 0;
  for (const mmi::IsaKernels* kernels : mmi::usable_isas()) {
    code |= mmi::tests::run_in_child(arguments[0], kernels->name);
  }
  return code;
}
