// Scratch memory for workers, kept from call to call.
//
// Fresh pages cost more than the work of a short call: each is cleared by the kernel, and on a
// virtual machine often fetched from its host first. Up to kMostKept bytes stay with the process.
// There is no lock, so a child forked in the middle of a call can go on.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mmi {

class Scratch {
 public:
  // At least `bytes`, on a cache line, not initialised. Throws std::bad_alloc.
  explicit Scratch(std::int64_t bytes);
  ~Scratch();
  Scratch(Scratch&& other) noexcept;
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Scratch& operator=(Scratch&&) = delete;

  std::byte* get() const { return memory_; }

  static constexpr std::int64_t kMostKept = 64 << 20;

 private:
  std::byte* memory_;
};

}  // namespace mmi
