"""k-means whose result has the same bits for any number of threads and any instruction set."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels.inputs import (
    Rows,
    as_rows,
    check_count,
    check_device,
    check_same_dim,
    check_threads,
    squared_norms,
)
from mmi_hpc.kernels.kmeans_blocks import RowBlock, absolute_maximum, split
from mmi_hpc.kernels.kmeans_ranks import Alone, Ranks
from mmi_hpc.kernels.kmeans_seeds import plus_plus, scalable
from mmi_hpc.kernels.kmeans_state import KMeansState, check_metric, check_weights

_MOST_CLUSTERS = 2**25 - 1
_SEEDINGS = {"k-means||": scalable, "k-means++": plus_plus}


@dataclass(frozen=True)
class KMeansResult:
    """A clustering of n rows into k clusters.

    Attributes:
        centroids: float32 (k, d); unit rows under the cosine metric, except what `init` gave or
            a zero row seeded and no update replaced.
        labels: int64 (n,), the assignment against exactly these centroids.
        inertia: Weighted sum of 1 - score (cosine) or of squared distances (euclidean).
        counts: int64 (k,), rows per label, unweighted.
        n_iter: Centroid updates done.
        converged: The last update changed no label, or moved no centroid farther than `tol`.
    """

    centroids: NDArray[np.float32]
    labels: NDArray[np.int64]
    inertia: float
    counts: NDArray[np.int64]
    n_iter: int
    converged: bool


def kmeans(
    x: Any,
    k: int,
    *,
    metric: Literal["cosine", "euclidean"] = "cosine",
    init: Any = "k-means||",
    max_iter: int = 25,
    tol: float = 0.0,
    seed: int = 0,
    weights: Any = None,
    threads: int | None = None,
    device: str | None = None,
) -> KMeansResult:
    """Cluster rows by Lloyd's algorithm, with exact assignments and order-independent sums.

    cosine: labels are `cosine_topk(x, centroids, 1).indices`; a centroid is the normalised mean of
    the unit rows, to which zero rows add nothing. euclidean: the label maximises
    dot(x, c) - 0.5 * dot(c, c) in float64. Ties go to the lowest label. Sums, inertia and seeding
    potentials are int64 fixed point. Empty clusters, in ascending order, take the row farthest from
    its own centroid out of a cluster that has more than one. docs/kernels.md has the definitions.

    Args:
        x: (n, d), float32, float16 or bfloat16, on the CPU. Contiguous float32 in memory is used
            in place; anything else is widened block by block in every pass, so a memory-mapped
            file may exceed memory.
        k: Number of clusters, 1 <= k <= n.
        metric: "cosine" or "euclidean".
        init: "k-means||", "k-means++" (k passes over the rows), or (k, d) centroids to start from.
        max_iter: Most centroid updates, at least 1.
        tol: Largest centroid shift (euclidean distance) that counts as converged; 0 asks that no
            label changes.
        seed: 0 <= seed < 2**64; seeds are drawn from Philox4x32-10 under this key.
        weights: (n,) float32 or float64, finite, non-negative, at least one positive; default ones.
        threads: Number of threads; by default the cores this process may run on.
        device: None or "cpu".

    Returns:
        Centroids, labels, counts, inertia, and how the iteration ended.

    Raises:
        TypeError: An argument is no array or has another dtype.
        ValueError: Shapes or values are out of range, a row is not finite (the first is named), or
            the values span so wide a range that int64 sums could not resolve them.
    """
    check_device(device)
    check_metric(metric)
    rows = as_rows("x", x)
    threads = check_threads(threads)
    k = check_count("k", k)
    if k > _MOST_CLUSTERS:
        raise ValueError(f"k is {k}, but must be at most {_MOST_CLUSTERS}")
    if k > rows.count:
        raise ValueError(f"k is {k}, but x has only {rows.count} rows; lower k")
    max_iter = check_count("max_iter", max_iter)
    tol, seed = _check_tol(tol), _check_seed(seed)
    start = _check_init(init, k, rows, threads)
    weight_values = check_weights(weights, rows.count)
    if weight_values is not None and not weight_values.any():
        raise ValueError("all weights are zero; at least one must be positive")

    blocks = split(rows, threads)
    reach = 0.0 if metric == "cosine" else absolute_maximum(blocks, threads)
    if start is not None:
        reach = max(reach, float(np.abs(start).max()))
    weight_max = 1.0 if weight_values is None else float(weight_values.max())
    state = KMeansState(
        rows.count, reach, weight_max, k=k, dim=rows.dim, metric=metric, threads=threads
    )
    state.set_weights(blocks, weight_values)
    if start is None:
        start = _SEEDINGS[init](state, blocks, seed, Alone())
    return lloyd(state, blocks, start, max_iter, tol, Alone())


def lloyd(
    state: KMeansState,
    blocks: Sequence[RowBlock],
    centroids: NDArray[np.float32],
    max_iter: int,
    tol: float,
    ranks: Ranks,
) -> KMeansResult:
    """Lloyd's algorithm on the rows of all ranks; `labels` are those of this rank's rows."""
    n_iter, converged = 0, False
    total = _assigned(state, blocks, centroids, ranks)
    while not converged and n_iter < max_iter:
        changes = total.changes
        if (total.counts == 0).any():
            total = total.refilled(ranks.allgather(total.farthest(blocks, centroids)))
        centroids, move = total.moved_centroids(centroids)
        total = _assigned(state, blocks, centroids, ranks)
        converged = total.changes == changes or 0.0 < tol >= move
        n_iter += 1
    state.add_inertia(blocks, centroids)
    total = state.copy(ranks.allreduce(state.totals))
    labels = [block.known_labels() for block in blocks]
    return KMeansResult(
        centroids=centroids,
        labels=np.concatenate(labels) if labels else np.empty(0, np.int64),
        inertia=total.inertia,
        counts=total.counts.copy(),
        n_iter=n_iter,
        converged=converged,
    )


def _assigned(
    state: KMeansState, blocks: Sequence[RowBlock], centroids: NDArray[np.float32], ranks: Ranks
) -> KMeansState:
    """The totals of all ranks once every row has its label."""
    state.accumulate(blocks, centroids)
    return state.copy(ranks.allreduce(state.totals))


def _check_init(init: Any, k: int, rows: Rows, threads: int) -> NDArray[np.float32] | None:
    if isinstance(init, str):
        if init not in _SEEDINGS:
            raise ValueError(
                f"init={init!r} is not known: use 'k-means||', 'k-means++' or (k, d) centroids"
            )
        return None
    given = as_rows("init", init)
    check_same_dim(rows, given)
    if given.count != k:
        raise ValueError(
            f"init has {given.count} rows, but k is {k}; pass one centroid per cluster"
        )
    centroids = given.float32()
    squared_norms(centroids, "init", 0, threads)
    return centroids


def _check_tol(tol: float) -> float:
    try:
        value = float(tol)
    except (TypeError, ValueError):
        raise TypeError(f"tol must be a number, not {tol!r}") from None
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f"tol is {tol}, but must be finite and not negative")
    return value


def _check_seed(seed: int) -> int:
    seed = check_count("seed", seed, least=0)
    if seed >= 2**64:
        raise ValueError(f"seed is {seed}, but must be below 2**64")
    return seed
