#pragma once

#include <nanobind/nanobind.h>

void bind_kmeans(nanobind::module_& m);
