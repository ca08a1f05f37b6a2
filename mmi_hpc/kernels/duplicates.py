"""All pairs of rows whose cosine similarity reaches a threshold."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.bank import pack_parts
from mmi_hpc.kernels.inputs import (
    Rows,
    as_rows,
    check_count,
    check_device,
    check_same_dim,
    check_threads,
    squared_norms,
)

# 20 bytes a pair, and as much again while they are collected.
_MOST_PAIRS = 2**21
_LARGEST_BLOCK = 16384


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
    device: str | None = None,
) -> Iterator[Pairs]:
    """List every pair of rows with score >= threshold, one block of rows of `x` after the other.

    The score is that of `cosine_topk`; it is compared with the threshold rounded to float32. Joined
    together, the blocks are the same for any block size, number of threads and instruction set.

    Args:
        x: (n, d), float32, float16 or bfloat16, on the CPU.
        threshold: Least score of a pair.
        against: (m, d) to pair the rows of `x` with; by default `x` itself, each pair once.
        block_rows: Rows of `x` per block, each of which gives one item, however many pairs it has.
            By default blocks hold at most 2**21 pairs, or those of a single row.
        threads: Number of threads; by default the cores this process may run on.
        device: None or "cpu".

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
    check_device(device)
    rows = as_rows("x", x)
    bank = rows if against is None else as_rows("against", against)
    check_same_dim(rows, bank)
    join = _Join(rows, bank, against is None, _check_threshold(threshold), check_threads(threads))
    if block_rows is not None:
        return join.blocks_of(check_count("block_rows", block_rows))
    return join.blocks()


class _Join:
    """Windows of `x` against all parts of the bank."""

    def __init__(self, rows: Rows, bank: Rows, self_join: bool, least: float, threads: int) -> None:
        self.rows, self.bank, self.self_join = rows, bank, self_join
        self.least, self.threads = least, threads
        # Parts of a bank that lies in memory are kept; what is copied or read from a file is packed
        # anew for each window, so that it may exceed memory.
        self.kept = list(pack_parts(bank, True, threads)) if bank.resident else None

    def blocks_of(self, size: int) -> Iterator[Pairs]:
        for begin, end in self.rows.blocks(size):
            pieces = list(self._pieces(begin, end))
            yield pieces[0] if len(pieces) == 1 else _joined(pieces)

    def blocks(self) -> Iterator[Pairs]:
        for begin, end in self.rows.blocks(_LARGEST_BLOCK):
            yield from self._pieces(begin, end)

    def _pieces(self, begin: int, end: int) -> Iterator[Pairs]:
        """The window begin..end in as many pieces as its pairs need."""
        found = self._window(begin, end, _MOST_PAIRS if end - begin > 1 else sys.maxsize)
        if found is not None:
            yield found
            return
        middle = (begin + end) // 2
        yield from self._pieces(begin, middle)
        yield from self._pieces(middle, end)

    def _window(self, begin: int, end: int, most: int) -> Pairs | None:
        block = self.rows.float32(begin, end)
        norms = squared_norms(block, self.rows.name, begin, self.threads)
        found = []
        for part in self.kept or pack_parts(self.bank, True, self.threads):
            if self.self_join and part.first + len(part.rows) <= begin:
                continue
            pairs = _core.near_duplicates(
                block,
                norms,
                begin,
                part.packed,
                part.first,
                self.self_join,
                self.least,
                most,
                self.threads,
            )
            if pairs is None:
                return None
            found.append(Pairs(*pairs))
            most -= len(found[-1].i)
        return _merged(found)


def _merged(parts: list[Pairs]) -> Pairs:
    """The pairs of one window with several parts of a bank, sorted by (i, j)."""
    if len(parts) == 1:
        return parts[0]
    pairs = _joined(parts)
    order = np.argsort(pairs.i, kind="stable")  # within a row, parts come in order of j
    return Pairs(pairs.i[order], pairs.j[order], pairs.score[order])


def _joined(pieces: list[Pairs]) -> Pairs:
    if not pieces:
        return Pairs(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
    return Pairs(*(np.concatenate(arrays) for arrays in zip(*pieces, strict=True)))


def _check_threshold(threshold: float) -> float:
    """The threshold as the float32 it is compared as; no score lies outside -2..2."""
    try:
        value = float(threshold)
    except (TypeError, ValueError):
        raise TypeError(f"threshold must be a number such as 0.95, not {threshold!r}") from None
    if not math.isfinite(value):
        raise ValueError(f"threshold is {threshold}, but must be a finite number such as 0.95")
    return float(np.float32(min(2.0, max(-2.0, value))))
