"""The peaks are measured where there is something to measure."""

from __future__ import annotations

import platform

import pytest

from mmi_hpc.bench.peak import Peaks, measure
from mmi_hpc.kernels import _core


def flags():
    with open("/proc/cpuinfo") as file:
        return next((line.split() for line in file if line.startswith("flags")), [])


@pytest.mark.skipif(platform.machine() != "x86_64", reason="these are instructions of x86-64")
@pytest.mark.parametrize(("kind", "flag"), [("avx2", "avx2"), ("avx512", "avx512f")])
def test_a_rate_is_found_where_the_processor_has_the_instructions(kind, flag):
    assert (_core.peak_gflops(kind, 1, 0.02) > 0) == (flag in flags())


def test_tiles_are_measured_only_where_they_may_be_used():
    rate = _core.peak_gflops("amx", 1, 0.02)
    assert rate >= 0
    if "amx_bf16" not in flags():
        assert rate == 0


def test_unknown_kinds_and_no_threads_are_refused():
    with pytest.raises(ValueError, match="no peak is known by the name sse"):
        _core.peak_gflops("sse", 1, 0.01)
    with pytest.raises(ValueError, match="at least one thread"):
        _core.peak_gflops("avx2", 0, 0.01)


def test_of_two_measurements_the_higher_one_counts():
    assert Peaks(1, 5, 2, 9).or_better(Peaks(3, 4, 2, 8)) == Peaks(3, 5, 2, 9)
    assert measure(1, quick=True).copy > 0
