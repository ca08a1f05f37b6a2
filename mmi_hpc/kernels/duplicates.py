"""All pairs of rows whose cosine similarity reaches a threshold."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import Rows, as_rows, check_count, check_same_dim, check_threads
from mmi_hpc.kernels.inputs import squared_norms as norms_of

_MOST_PAIRS_PER_BLOCK = 2**26
_LEAST_BLOCK_ROWS, _MOST_BLOCK_ROWS = 64, 4096


class Pairs(NamedTuple):
    """Pairs of near-duplicate rows, sorted by (i, j).

    Attributes:
        i: int64 (p,), rows of `x`.
        j: int64 (p,), rows of `against`, or of `x` in a self-join, where i < j.
        score: float32 (p,), the exact cosine score.
    """

    i: NDArray[np.int64]
    j: NDArray[np.int64]
    score: NDArray[np.float32]


def near_duplicates(
    x: Any,
    threshold: float,
    *,
    against: Any = None,
    block_rows: int | None = None,
    threads: int | None = None,
) -> Iterator[Pairs]:
    """List every pair of rows with score >= threshold, one block of rows of `x` after the other.

    The score is that of `cosine_topk`; it is compared with the threshold rounded to float32. Joined
    together, the blocks are the same for any block size and any number of threads.

    Args:
        x: (n, d), float32, float16 or bfloat16, on the CPU.
        threshold: Least score of a pair.
        against: (m, d) to pair the rows of `x` with; by default `x` itself, each pair once.
        block_rows: Rows of `x` per block. A block holds at most block_rows * m pairs of 20 bytes;
            by default that stays within 2**26 pairs, or 64 rows if that is more.
        threads: Number of threads; by default the cores this process may run on.

    Returns:
        An iterator with one item per block; a block without pairs gives empty arrays.

    Raises:
        TypeError: An argument is no array or has another dtype.
        ValueError: Shapes or values are out of range, or a row is not finite (the first is named).
            Rows of `x` in a join with `against` are looked at when their block is reached.

    Example:
        >>> x = np.array([[1, 0], [0, 1], [2, 0]], np.float32)
        >>> [(int(i), int(j)) for p in near_duplicates(x, 0.9) for i, j in zip(p.i, p.j)]
        [(0, 2)]
    """
    rows = as_rows("x", x)
    bank = rows if against is None else as_rows("against", against)
    check_same_dim(rows, bank)
    least = _check_threshold(threshold)
    threads = check_threads(threads)
    if block_rows is None:
        block_rows = _default_block_rows(bank.count)
    block_rows = check_count("block_rows", block_rows)

    bank32 = bank.float32()
    bank_norms = norms_of(bank32, bank.name, 0, threads)
    if against is None:
        return _self_join(rows, bank32, bank_norms, least, block_rows, threads)
    return _join(rows, bank32, bank_norms, least, block_rows, threads)


def _self_join(
    rows: Rows, x32: NDArray[Any], norms: NDArray[Any], least: float, block_rows: int, threads: int
) -> Iterator[Pairs]:
    for begin, end in rows.blocks(block_rows):
        yield Pairs(
            *_core.near_duplicates(
                x32[begin:end], norms[begin:end], begin, x32, norms, True, least, threads
            )
        )


def _join(
    rows: Rows,
    bank32: NDArray[Any],
    norms: NDArray[Any],
    least: float,
    block_rows: int,
    threads: int,
) -> Iterator[Pairs]:
    for begin, end in rows.blocks(block_rows):
        block = rows.float32(begin, end)
        block_norms = norms_of(block, "x", begin, threads)
        yield Pairs(
            *_core.near_duplicates(block, block_norms, begin, bank32, norms, False, least, threads)
        )


def _check_threshold(threshold: float) -> float:
    """The threshold as the float32 it is compared as."""
    if not math.isfinite(threshold):
        raise ValueError(f"threshold is {threshold}, but must be a finite number such as 0.95")
    return float(np.float32(threshold))


def _default_block_rows(bank_rows: int) -> int:
    fitting = _MOST_PAIRS_PER_BLOCK // max(1, bank_rows)
    return min(_MOST_BLOCK_ROWS, max(_LEAST_BLOCK_ROWS, fitting))
