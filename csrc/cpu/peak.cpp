#include "cpu/peak.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <stdexcept>

namespace mmi {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kWindows = 8;
constexpr std::int64_t kRounds = 20000;  // tens of microseconds between two looks at the clock

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

const peak::Loop* find(const std::string& kind) {
  if (kind != "avx2" && kind != "avx512" && kind != "amx") {
    throw std::invalid_argument("no peak is known by the name " + kind);
  }
#ifdef MMI_PEAK_FMA
  if (kind == "avx2" && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) {
    return &peak::kAvx2;
  }
  if (kind == "avx512" && __builtin_cpu_supports("avx512f")) return &peak::kAvx512;
#endif
#ifdef MMI_PEAK_AMX
  if (kind == "amx" && peak::amx_granted()) return &peak::kAmx;
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
