// One piece of memory per worker, cut into arrays. Sizing and cutting are the same code, so that
// they cannot disagree: with a null base only the size is counted.
#pragma once

#include <cstddef>
#include <cstdint>

namespace mmi {
namespace {

class Workspace {
 public:
  explicit Workspace(std::byte* base) : base_(base) {}

  template <typename Value>
  Value* take(std::int64_t count) {
    const std::int64_t at = used_;
    used_ += (count * static_cast<std::int64_t>(sizeof(Value)) + 63) / 64 * 64;
    return base_ ? reinterpret_cast<Value*>(base_ + at) : nullptr;
  }

  std::int64_t used() const { return used_; }

 private:
  std::byte* base_;
  std::int64_t used_ = 0;
};

}  // namespace
}  // namespace mmi
