"""Exact top-k search by cosine similarity or inner product."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.bank import Bank, BankPart, pack_parts
from mmi_hpc.kernels.build_info import isa
from mmi_hpc.kernels.inputs import (
    Rows,
    as_rows,
    check_count,
    check_device,
    check_same_dim,
    check_threads,
    not_finite,
    squared_norms,
)

# Below this many queries packing a bank costs more than scoring every pair.
_FEW_QUERIES = 8
# Entries of lists that are merged at a time, at about 40 bytes each.
_MERGED_ENTRIES = 2**20


@dataclass
class SearchStats:
    """What a search did.

    Attributes:
        isa: Instruction set of the scan.
        survivors: Bank rows that the filter kept, over all queries.
        rescored: Of them, scored in float64; 0 with precision="scan".
        overflow_rows: Queries whose candidates outgrew their list, scored against the whole bank
            instead: more than 4 k + 128 rows score within the scan's error of the k-th best.
        seconds: Per phase, summed over threads: "pack" (queries), "prime" (first bank rows),
            "scan" (the rest), "rescore" (candidates, and ordering them); empty where every pair was
            scored.
    """

    isa: str = field(default_factory=isa)
    survivors: int = 0
    rescored: int = 0
    overflow_rows: int = 0
    seconds: dict[str, float] = field(default_factory=dict)

    def add(self, done: _core.SearchDone) -> None:
        """Count one call into the compiled search."""
        self.survivors += done["survivors"]
        self.rescored += done["rescored"]
        self.overflow_rows += done["overflow_rows"]
        for phase, seconds in done["seconds"].items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds


class TopK(NamedTuple):
    """The best bank rows of every query, best first.

    Attributes:
        scores: float32 (N, k), descending along a row.
        indices: int64 (N, k), rows of the bank; ascending among equal scores.
        stats: What the search did.
    """

    scores: NDArray[np.float32]
    indices: NDArray[np.int64]
    stats: SearchStats


def cosine_topk(
    queries: Any,
    bank: Any,
    k: int,
    *,
    precision: Literal["exact", "scan"] = "exact",
    normalize: bool = True,
    threads: int | None = None,
    device: str | None = None,
) -> TopK:
    """Find the k bank rows with the highest score for every query.

    score(x, y) = fl32(dot(x, y) / (sqrt(dot(x, x)) * sqrt(dot(y, y)))), where dots run in float64
    in one fixed order. Results are listed by score descending, then index ascending, and have the
    same bits for any number of threads and any instruction set. A zero vector scores 0; -0.0 is
    stored as +0.0.

    Args:
        queries: (N, d), float32, float16 or bfloat16, on the CPU; taken in blocks of about 64 MiB
            unless they are contiguous float32, so a memory-mapped array may exceed memory. N = 0
            gives empty results.
        bank: (M, d) with M >= k, as an array or as a `Bank`, which is packed once for many calls.
        k: Length of every list, 1 <= k <= M.
        precision: "exact"; or "scan", which ranks by the scores of the filter and skips the exact
            ones: scores and order are then approximate and depend on the instruction set. Where
            nothing is scanned (few queries, 2 k > M, overflow rows) they are exact all the same.
        normalize: False scores by fl32(dot(x, y)) instead.
        threads: Number of threads; by default the cores this process may run on.
        device: None or "cpu".

    Returns:
        Scores and indices, both (N, k), and what was done.

    Raises:
        TypeError: An argument is no array or has another dtype.
        ValueError: Shapes do not fit, k is out of range, an array is on a device, or a row is not
            finite (the first such row is named).

    Example:
        >>> bank = np.eye(3, dtype=np.float32)
        >>> cosine_topk(bank[:1], bank, 2).indices
        array([[0, 1]])
    """
    check_device(device)
    normalize = bool(normalize)
    rows = as_rows("queries", queries)
    candidates = _bank_rows(bank, normalize)
    threads = check_threads(threads)
    if precision not in ("exact", "scan"):
        raise ValueError(f"precision={precision!r} is not known: use 'exact' or 'scan'")
    k = _check_k(k, rows, candidates)

    result = TopK(
        np.empty((rows.count, k), np.float32), np.empty((rows.count, k), np.int64), SearchStats()
    )
    if 2 * k > candidates.count or (rows.count < _FEW_QUERIES and not isinstance(bank, Bank)):
        _score_all(rows, candidates, k, normalize, threads, result)
    elif isinstance(bank, Bank):
        _search(rows, bank.parts, k, precision, threads, result)
    else:
        _search(rows, pack_parts(candidates, normalize, threads), k, precision, threads, result)
    return result


def _bank_rows(bank: Any, normalize: bool) -> Rows:
    if not isinstance(bank, Bank):
        return as_rows("bank", bank)
    if bank.normalize != normalize:
        raise ValueError(
            f"the bank was packed with normalize={bank.normalize}, but the search asks for "
            f"normalize={normalize}; pass the same to both"
        )
    return bank.rows


def _check_k(k: int, rows: Rows, candidates: Rows) -> int:
    check_same_dim(rows, candidates)
    if candidates.count == 0:
        raise ValueError(f"bank has shape (0, {candidates.dim}): there is nothing to search")
    k = check_count("k", k)
    if k > candidates.count:
        raise ValueError(f"k is {k}, but bank has only {candidates.count} rows; lower k")
    return k


def _score_all(
    rows: Rows, candidates: Rows, k: int, normalize: bool, threads: int, result: TopK
) -> None:
    """Score every pair in float64: for a few queries, or lists about as long as the bank."""
    found = 0
    for first, last in candidates.parts():
        bank = candidates.float32(first, last)
        bank_norms = squared_norms(bank, "bank", first, threads)
        width = min(k, len(bank))
        for begin, end in rows.blocks():
            block = rows.float32(begin, end)
            norms = squared_norms(block, "queries", begin, threads)
            scores = np.empty((end - begin, width), np.float32)
            indices = np.empty((end - begin, width), np.int64)
            _core.exact_topk(
                block, norms, bank, bank_norms, width, normalize, scores, indices, threads
            )
            _merge(result, begin, found, scores, indices + first)
        found = min(k, found + width)


def _search(
    rows: Rows, parts: Iterable[BankPart], k: int, precision: str, threads: int, result: TopK
) -> None:
    """Search part after part of the bank; the best k of all are among the best of the parts."""
    found = 0
    for part in parts:
        width = min(k, len(part.rows))
        whole = found == 0 and width == k
        for begin, end in rows.blocks(rows.count if rows.in_place and whole else None):
            if whole:
                scores, indices = result.scores[begin:end], result.indices[begin:end]
            else:
                scores = np.empty((end - begin, width), np.float32)
                indices = np.empty((end - begin, width), np.int64)
            done = _core.filtered_topk(
                rows.float32(begin, end),
                part.packed,
                width,
                precision == "exact",
                scores,
                indices,
                threads,
            )
            if done["bad_row"] >= 0:
                raise not_finite("queries", begin + done["bad_row"])
            result.stats.add(done)
            if not whole:
                _merge(result, begin, found, scores, indices + part.first)
        found = min(k, found + width)


def _merge(
    result: TopK,
    begin: int,
    found: int,
    scores: NDArray[np.float32],
    indices: NDArray[np.int64],
) -> None:
    """Merge lists over later bank rows into the first `found` columns of the queries from begin."""
    step = max(1, _MERGED_ENTRIES // (found + scores.shape[1]))
    for at in range(0, len(scores), step):
        here = slice(begin + at, begin + min(at + step, len(scores)))
        new = slice(at, at + step)
        # Earlier rows come first, so a stable sort by score keeps ties in order of their index.
        all_scores = np.concatenate([result.scores[here, :found], scores[new]], axis=1)
        all_indices = np.concatenate([result.indices[here, :found], indices[new]], axis=1)
        width = min(result.scores.shape[1], all_scores.shape[1])
        order = np.argsort(-all_scores, axis=1, kind="stable")[:, :width]
        result.scores[here, :width] = np.take_along_axis(all_scores, order, axis=1)
        result.indices[here, :width] = np.take_along_axis(all_indices, order, axis=1)
