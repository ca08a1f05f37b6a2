#include "cpu/parallel.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <system_error>
#include <thread>
#include <vector>

namespace mmi {
namespace {

// Leaves a task from the depth of its loops; never seen outside this file.
struct Stopped {};

class Crew {
 public:
  Crew(std::int64_t tasks, const TaskBody& body) : tasks_(tasks), body_(body) {}

  void hire(int workers) {
    for (int worker = 0; worker < workers; ++worker) {
      {
        const std::lock_guard<std::mutex> lock(mutex_);
        ++running_;
      }
      try {
        threads_.emplace_back([this, worker] { work(worker); });
      } catch (const std::system_error&) {
        const std::lock_guard<std::mutex> lock(mutex_);
        --running_;
        if (threads_.empty()) throw;
        return;  // a tight process limit: those who are here do the work
      }
    }
  }

  void wait(const Execution& execution) {
    std::unique_lock<std::mutex> lock(mutex_);
    while (!finished_.wait_for(lock, Execution::kPollInterval, [this] { return running_ == 0; })) {
      if (stop_.is_set()) continue;  // already leaving: the first error is the one to report
      lock.unlock();
      try {
        execution.poll_if_due();
      } catch (...) {
        fail(std::current_exception());
      }
      lock.lock();
    }
  }

  void dismiss() {
    for (std::thread& thread : threads_) thread.join();
    if (error_) std::rethrow_exception(error_);
  }

 private:
  void work(int worker) {
    try {
      while (!stop_.is_set()) {
        const std::int64_t task = next_.fetch_add(1, std::memory_order_relaxed);
        if (task >= tasks_) break;
        body_(task, worker, stop_);
      }
    } catch (const Stopped&) {
    } catch (...) {
      fail(std::current_exception());
    }
    const std::lock_guard<std::mutex> lock(mutex_);
    if (--running_ == 0) finished_.notify_one();
  }

  void fail(std::exception_ptr error) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!error_) error_ = std::move(error);
    stop_.set();
  }

  const std::int64_t tasks_;
  const TaskBody& body_;
  std::atomic<std::int64_t> next_{0};
  StopFlag stop_;
  std::mutex mutex_;
  std::condition_variable finished_;
  int running_ = 0;
  std::exception_ptr error_;
  std::vector<std::thread> threads_;
};

}  // namespace

void Execution::poll_if_due() const {
  const Clock::time_point now = Clock::now();
  if (now - polled_ < kPollInterval) return;
  polled_ = now;
  poll_();
}

void StopFlag::leave_if_set() const {
  if (is_set()) throw Stopped{};
}

void parallel_for(const Execution& execution, std::int64_t tasks, const TaskBody& body) {
  if (tasks <= 0) return;
  execution.poll_if_due();
  Crew crew(tasks, body);
  crew.hire(static_cast<int>(std::min<std::int64_t>(execution.threads(), tasks)));
  crew.wait(execution);
  crew.dismiss();
}

DefaultFloatEnvironment::DefaultFloatEnvironment() {
  std::fegetenv(&saved_);
  std::fesetenv(FE_DFL_ENV);
}

DefaultFloatEnvironment::~DefaultFloatEnvironment() { std::fesetenv(&saved_); }

}  // namespace mmi
