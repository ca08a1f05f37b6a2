// Threads for one call: started, fed with tasks, joined.
//
// Contract: every task runs once, in any order and on any thread, so a result may only depend on
// the task number. Nothing outlives the call, therefore a fork between two calls is harmless.
//
// The calling thread does no work. It waits and polls about every 100 ms, within a long call and
// across many short ones, so that Ctrl-C ends either. An exception, from a task or from the poll,
// stops the other workers at their next look at the StopFlag and is rethrown in the calling thread
// once all of them have left.
#pragma once

#include <algorithm>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>

namespace mmi {

class Execution {
 public:
  // poll may throw. It is called in the calling thread only.
  Execution(int threads, std::function<void()> poll) : threads_(threads), poll_(std::move(poll)) {}

  int threads() const { return threads_; }

  // The same with at most this many threads.
  Execution limited(std::int64_t most) const {
    return Execution(static_cast<int>(std::clamp<std::int64_t>(most, 1, threads_)), poll_);
  }
  void poll_if_due() const;

  static constexpr std::chrono::milliseconds kPollInterval{100};

 private:
  using Clock = std::chrono::steady_clock;
  int threads_;
  std::function<void()> poll_;
  mutable Clock::time_point polled_ = Clock::now();
};

class StopFlag {
 public:
  void set() { set_.store(true, std::memory_order_relaxed); }
  bool is_set() const { return set_.load(std::memory_order_relaxed); }
  // Long tasks call this every few milliseconds. What it throws is known to parallel_for only.
  void leave_if_set() const;

 private:
  std::atomic<bool> set_{false};
};

// body(task, worker, stop) with 0 <= task < tasks and 0 <= worker < execution.threads().
using TaskBody = std::function<void(std::int64_t task, int worker, const StopFlag& stop)>;
void parallel_for(const Execution& execution, std::int64_t tasks, const TaskBody& body);

// Subnormal numbers are part of the contract, but any library in the process may have told the
// processor to flush them. This restores the default rounding and subnormals for a scope; threads
// started inside it inherit them.
class DefaultFloatEnvironment {
 public:
  DefaultFloatEnvironment();
  ~DefaultFloatEnvironment();
  DefaultFloatEnvironment(const DefaultFloatEnvironment&) = delete;
  DefaultFloatEnvironment& operator=(const DefaultFloatEnvironment&) = delete;

 private:
  std::fenv_t saved_;
};

}  // namespace mmi
