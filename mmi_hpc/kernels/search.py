"""Exact top-k search by cosine similarity or inner product."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import (
    Rows,
    as_rows,
    check_count,
    check_same_dim,
    check_threads,
    squared_norms,
)


class TopK(NamedTuple):
    """The best bank rows of every query, best first.

    Attributes:
        scores: float32 (N, k), descending along a row.
        indices: int64 (N, k), rows of the bank; ascending among equal scores.
    """

    scores: NDArray[np.float32]
    indices: NDArray[np.int64]


def cosine_topk(
    queries: Any,
    bank: Any,
    k: int,
    *,
    normalize: bool = True,
    precision: Literal["exact"] = "exact",
    threads: int | None = None,
) -> TopK:
    """Find the k bank rows with the highest score for every query.

    score(x, y) = fl32(dot(x, y) / (sqrt(dot(x, x)) * sqrt(dot(y, y)))), where dots run in float64
    in one fixed order. Results are listed by score descending, then index ascending, and have the
    same bits for any number of threads. A zero vector scores 0; -0.0 is stored as +0.0.

    Args:
        queries: (N, d), float32, float16 or bfloat16, on the CPU; taken in blocks of about 64 MiB,
            so a memory-mapped array may exceed memory. N = 0 gives empty results.
        bank: (M, d) with M >= k; held in float32 as a whole.
        k: Length of every list, 1 <= k <= M.
        normalize: False scores by fl32(dot(x, y)) instead.
        precision: Only "exact".
        threads: Number of threads; by default the cores this process may run on.

    Returns:
        Scores and indices, both (N, k).

    Raises:
        TypeError: An argument is no array or has another dtype.
        ValueError: Shapes do not fit, k is out of range, an array is on a device, or a row is not
            finite (the first such row is named).

    Example:
        >>> bank = np.eye(3, dtype=np.float32)
        >>> cosine_topk(bank[:1], bank, 2).indices
        array([[0, 1]])
    """
    rows, candidates = as_rows("queries", queries), as_rows("bank", bank)
    threads = check_threads(threads)
    _check_precision(precision)
    k = _check_k(k, rows, candidates)

    bank32 = candidates.float32()
    bank_norms = squared_norms(bank32, "bank", 0, threads)
    result = TopK(np.empty((rows.count, k), np.float32), np.empty((rows.count, k), np.int64))
    for begin, end in rows.blocks():
        block = rows.float32(begin, end)
        norms = squared_norms(block, "queries", begin, threads)
        scores, indices = result.scores[begin:end], result.indices[begin:end]
        _core.cosine_topk(
            block, norms, bank32, bank_norms, k, bool(normalize), scores, indices, threads
        )
    return result


def _check_precision(precision: str) -> None:
    if precision != "exact":
        raise ValueError(f"precision={precision!r}: this build has only 'exact'")


def _check_k(k: int, rows: Rows, candidates: Rows) -> int:
    check_same_dim(rows, candidates)
    if candidates.count == 0:
        raise ValueError(f"bank has shape (0, {candidates.dim}): there is nothing to search")
    k = check_count("k", k)
    if k > candidates.count:
        raise ValueError(f"k is {k}, but bank has only {candidates.count} rows; lower k")
    return k
