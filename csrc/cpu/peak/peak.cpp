#include "cpu/peak/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>

#include "cpu/isa.h"

namespace mmi {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kWindows = 8;
constexpr std::int64_t kRounds = 20000;  // tens of microseconds between two looks at the clock

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

bool usable(const std::string& name) {
  const auto& all = usable_isas();
  return std::any_of(all.begin(), all.end(),
                     [&](const IsaKernels* kernels) { return kernels->name == name; });
}

const peak::Loop* find(const std::string& kind) {
  if (kind != "avx2" && kind != "avx512" && kind != "amx") {
    throw std::invalid_argument("no peak is known by the name " + kind);
  }
  if (!usable(kind)) return nullptr;
#if defined(MMI_X86)
  if (kind == "avx2") return &peak::kAvx2;
  if (kind == "avx512") return &peak::kAvx512;
#if defined(MMI_AMX)
  if (kind == "amx") return &peak::kAmx;
#endif
#endif
  return nullptr;
}

double one_window(const peak::Loop& loop, double seconds, const Execution& execution) {
  std::atomic<std::int64_t> rounds{0};
  const Clock::time_point start = Clock::now();
  parallel_for(execution, execution.threads(), [&](std::int64_t task, int, const StopFlag& stop) {
    std::int64_t done = 0;
    do {  // at least once, however late this thread was started
      stop.leave_if_set();
      loop.run(kRounds, static_cast<std::uint32_t>(task + 1));
      done += kRounds;
    } while (seconds_since(start) < seconds);
    rounds += done;
  });
  return static_cast<double>(rounds.load()) * loop.flops_per_round / seconds_since(start) * 1e-9;
}

}  // namespace

double peak_gflops(const std::string& kind, double seconds, const Execution& execution) {
  const peak::Loop* loop = find(kind);
  if (loop == nullptr) return 0;
  double best = 0;
  for (int window = 0; window < kWindows; ++window) {
    best = std::max(best, one_window(*loop, seconds / kWindows, execution));
  }
  return best;
}

}  // namespace mmi
