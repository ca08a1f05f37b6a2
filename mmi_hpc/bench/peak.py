"""What this machine can do at best, measured in the same run as the rest."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from mmi_hpc.kernels import _core

_SECONDS, _COPIES, _COPY_BYTES = 0.8, 5, 512 * 2**20


@dataclass(frozen=True)
class Peaks:
    """The roofs.

    Attributes:
        amx: GFLOP/s of bfloat16 tile products, all threads together; 0 where there are none.
        fma: GFLOP/s of float32 multiply-adds in the widest registers there are.
        avx2: The same in registers of 256 bits.
        copy: Bytes read plus bytes written, in GB/s, by copying memory.
    """

    amx: float
    fma: float
    avx2: float
    copy: float

    def or_better(self, other: Peaks) -> Peaks:
        """The higher of two measurements; others at work on the machine can only lower them."""
        return Peaks(
            max(self.amx, other.amx),
            max(self.fma, other.fma),
            max(self.avx2, other.avx2),
            max(self.copy, other.copy),
        )


def measure(threads: int, quick: bool = False) -> Peaks:
    """Measure with this many threads at once; `quick` takes a tenth of the time."""
    seconds = _SECONDS / 10 if quick else _SECONDS
    amx, avx512, avx2 = (
        _core.peak_gflops(kind, threads, seconds) for kind in ("amx", "avx512", "avx2")
    )
    copy = _copy_rate(threads, _COPY_BYTES // 32 if quick else _COPY_BYTES)
    return Peaks(amx, max(avx512, avx2), avx2, copy)


def _copy_rate(threads: int, size: int) -> float:
    source = np.random.default_rng(0).integers(1, 255, size, np.uint8)
    target = np.ones_like(source)
    step = -(-size // threads)
    parts = [slice(at, at + step) for at in range(0, size, step)]
    best = 0.0
    with ThreadPoolExecutor(threads) as pool:
        for _ in range(_COPIES):
            start = time.perf_counter()
            list(pool.map(lambda part: np.copyto(target[part], source[part]), parts))
            best = max(best, 2 * size / (time.perf_counter() - start) / 1e9)
    return best
