// Where the time of a block goes.
#pragma once

#include <time.h>

namespace mmi {
namespace {

class Stopwatch {
 public:
  // Add the seconds since the last lap to a phase.
  void lap(double& phase) {
    const double time = now();
    phase += time - last_;
    last_ = time;
  }

 private:
  static double now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  }

  double last_ = now();
};

}  // namespace
}  // namespace mmi
