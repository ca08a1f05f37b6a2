#include "cpu/scratch.h"

#include <atomic>
#include <utility>

#include "cpu/aligned.h"

namespace mmi {
namespace {

// A block carries its size in front, on a cache line of its own.
constexpr std::int64_t kHeader = 64;
constexpr int kSlots = 64;

std::atomic<std::byte*> slots[kSlots];
std::atomic<std::int64_t> kept_bytes{0};

std::int64_t& size_of(std::byte* block) { return *reinterpret_cast<std::int64_t*>(block); }

bool keep(std::byte* block) {
  const std::int64_t size = size_of(block);
  if (kept_bytes.fetch_add(size) + size <= Scratch::kMostKept) {
    for (std::atomic<std::byte*>& slot : slots) {
      std::byte* empty = nullptr;
      if (slot.compare_exchange_strong(empty, block)) return true;
    }
  }
  kept_bytes.fetch_sub(size);
  return false;
}

void give_back(std::byte* block) {
  if (!keep(block)) FreeAligned{}(block);
}

std::byte* take(std::int64_t bytes) {
  for (std::atomic<std::byte*>& slot : slots) {
    std::byte* block = slot.exchange(nullptr);
    if (block == nullptr) continue;
    kept_bytes.fetch_sub(size_of(block));
    // Much larger ones are left to those who need them.
    if (size_of(block) >= bytes && size_of(block) / 4 <= bytes) return block;
    give_back(block);
  }
  std::byte* block = aligned_bytes(kHeader + bytes).release();
  size_of(block) = bytes;
  return block;
}

}  // namespace

Scratch::Scratch(std::int64_t bytes) : memory_(take(bytes) + kHeader) {}

Scratch::~Scratch() {
  if (memory_ != nullptr) give_back(memory_ - kHeader);
}

Scratch::Scratch(Scratch&& other) noexcept : memory_(std::exchange(other.memory_, nullptr)) {}

}  // namespace mmi
