#include "core/counter_rng.h"

#include <doctest/doctest.h>

#include "tests/values.h"

namespace mmi::tests {
namespace {

struct KnownAnswer {
  PhiloxBlock counter;
  std::uint32_t key[2];
  PhiloxBlock expected;
};

TEST_CASE("Philox4x32-10 gives the known answers of its authors") {
  const KnownAnswer answers[] = {
      {{{0, 0, 0, 0}}, {0, 0}, {{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}},
      {{{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}},
       {0xffffffff, 0xffffffff},
       {{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}}},
      {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
       {0xa4093822, 0x299f31d0},
       {{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}},
  };
  for (const KnownAnswer& answer : answers) {
    const PhiloxBlock found = philox4x32_10(answer.counter, answer.key[0], answer.key[1]);
    for (int i = 0; i < 4; ++i) CHECK(found.word[i] == answer.expected.word[i]);
  }
}

TEST_CASE("random_bits are the first two words at (row, draw) under the seed") {
  CHECK(random_bits(0, 0, 0) == 0xe169c58d6627e8d5);
  const std::uint64_t row = 0x85a308d3243f6a88;
  const std::uint64_t draw = 0x0370734413198a2e;
  CHECK(random_bits(0x299f31d0a4093822, draw, row) == 0x94fdccebd16cfe09);
}

TEST_CASE("multiply_high is the upper half of the 128-bit product") {
  Random random(7);
  const std::uint64_t corners[] = {0, 1, 0xffffffff, 0x100000000, ~std::uint64_t{0}};
  const auto check = [](std::uint64_t a, std::uint64_t b) {
    const auto expected = static_cast<std::uint64_t>(static_cast<unsigned __int128>(a) * b >> 64);
    REQUIRE(multiply_high(a, b) == expected);
  };
  for (const std::uint64_t a : corners) {
    for (const std::uint64_t b : corners) check(a, b);
  }
  for (int repeat = 0; repeat < 10000; ++repeat) check(random(), random() >> (random() % 64));
}

}  // namespace
}  // namespace mmi::tests
