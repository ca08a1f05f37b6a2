// The measured peaks as a Python function; see cpu/peak/peak.h.
#pragma once

#include <nanobind/nanobind.h>

void bind_peak(nanobind::module_& m);
