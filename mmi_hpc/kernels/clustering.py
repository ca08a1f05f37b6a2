"""k-means whose result has the same bits for any number of threads."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

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
    init: Any = "k-means++",
    max_iter: int = 25,
    tol: float = 0.0,
    seed: int = 0,
    weights: Any = None,
    threads: int | None = None,
) -> KMeansResult:
    """Cluster rows by Lloyd's algorithm, with exact assignments and order-independent sums.

    cosine: labels are `cosine_topk(x, centroids, 1).indices`; a centroid is the normalised mean of
    the unit rows, to which zero rows add nothing. euclidean: the label maximises
    dot(x, c) - 0.5 * dot(c, c) in float64. Ties go to the lowest label. Sums, inertia and seeding
    potentials are int64 fixed point. Empty clusters, in ascending order, take the row farthest from
    its own centroid out of a cluster that has more than one. docs/kernels.md has the definitions.

    Args:
        x: (n, d), float32, float16 or bfloat16, on the CPU; held in float32 as a whole.
        k: Number of clusters, 1 <= k <= n.
        metric: "cosine" or "euclidean".
        init: "k-means++", or (k, d) centroids to start from.
        max_iter: Most centroid updates, at least 1.
        tol: Largest centroid shift (euclidean distance) that counts as converged; 0 asks that no
            label changes.
        seed: 0 <= seed < 2**64; k-means++ draws from Philox4x32-10 under this key.
        weights: (n,) float32 or float64, finite, non-negative, at least one positive; default ones.
        threads: Number of threads; by default the cores this process may run on.

    Returns:
        Centroids, labels, counts, inertia, and how the iteration ended.

    Raises:
        TypeError: An argument is no array or has another dtype.
        ValueError: Shapes or values are out of range, a row is not finite (the first is named), or
            the values span so wide a range that int64 sums could not resolve them.
    """
    rows = as_rows("x", x)
    threads = check_threads(threads)
    if metric not in ("cosine", "euclidean"):
        raise ValueError(f"metric={metric!r} is not known: use 'cosine' or 'euclidean'")
    k = check_count("k", k)
    if k > rows.count:
        raise ValueError(f"k is {k}, but x has only {rows.count} rows; lower k")
    max_iter = check_count("max_iter", max_iter)
    start = _check_init(init, k, rows, threads)
    weight_values = _check_weights(weights, rows)

    x32 = rows.float32()
    norms = squared_norms(x32, "x", 0, threads)
    cosine = metric == "cosine"
    centroids, labels, inertia, counts, n_iter, converged = _core.kmeans(
        x32,
        norms,
        weight_values,
        start,
        k,
        cosine,
        max_iter,
        _check_tol(tol),
        _check_seed(seed),
        threads,
    )
    return KMeansResult(centroids, labels, inertia, counts, n_iter, converged)


def _check_init(init: Any, k: int, rows: Rows, threads: int) -> NDArray[np.float32] | None:
    if isinstance(init, str):
        if init != "k-means++":
            raise ValueError(f"init={init!r} is not known: use 'k-means++' or (k, d) centroids")
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


def _check_weights(weights: Any, rows: Rows) -> NDArray[np.float64] | None:
    if weights is None:
        return None
    values = np.asarray(weights)
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        raise TypeError(f"weights has dtype {values.dtype}, but float32 or float64 is needed")
    if values.shape != (rows.count,):
        raise ValueError(
            f"weights has shape {values.shape}, but x has {rows.count} rows; "
            "pass one weight per row"
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise ValueError(
            f"weight {bad[0]} is {values[bad[0]]}; weights must be finite and not negative"
        )
    if not values.any():
        raise ValueError("all weights are zero; at least one must be positive")
    return np.require(values, np.float64, ["C_CONTIGUOUS", "ALIGNED"])


def _check_tol(tol: float) -> float:
    if not (math.isfinite(tol) and tol >= 0):
        raise ValueError(f"tol is {tol}, but must be finite and not negative")
    return float(tol)


def _check_seed(seed: int) -> int:
    seed = check_count("seed", seed, least=0)
    if seed >= 2**64:
        raise ValueError(f"seed is {seed}, but must be below 2**64")
    return seed
