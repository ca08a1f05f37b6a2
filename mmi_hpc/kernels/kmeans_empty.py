"""Empty clusters: which rows they take, decided from a few candidates of every block and rank.

The rule. Empty clusters, in ascending order, take the row that is farthest from its own centroid
(ties: the lowest row) out of a cluster that then has more than one row. Rows that contribute
nothing are not taken.

Why 2 e - 1 candidates suffice for e empty clusters. Line up the rows of clusters of two or more,
farthest first. Clusters only lose rows here (a taken row is alone in its new cluster, and never
taken again), so a row that is passed over stays passed over and one walk along the line serves all
empty clusters. A row is passed over only if its cluster is down to one row, which is that row; so
each cluster is passed over at most once, and only after it lost a row. Before the last of at most e
rows is taken, at most e - 1 clusters have lost one, hence at most e - 1 rows were passed over. The
first 2 e - 1 rows of the line lie among the first 2 e - 1 of each block.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.kmeans_blocks import RowBlock


@dataclass(frozen=True)
class FarRows:
    """Rows far from their own centroid, farthest first, ties by row.

    Attributes:
        rows: int64 (m,), global numbers.
        distances: float64 (m,), to their own centroid.
        labels: int64 (m,).
        norms: float64 (m,), squared norms.
        weights: float64 (m,), scaled as in `RowBlock`.
        x: float32 (m, d), the rows themselves.
    """

    rows: NDArray[np.int64]
    distances: NDArray[np.float64]
    labels: NDArray[np.int64]
    norms: NDArray[np.float64]
    weights: NDArray[np.float64]
    x: NDArray[np.float32]

    def take(self, index: NDArray[np.intp]) -> FarRows:
        """The rows at these positions, in this order."""
        return FarRows(**{name: value[index] for name, value in vars(self).items()})


def far_rows_of(
    blocks: Iterable[RowBlock],
    centroids: NDArray[np.float32],
    counts: NDArray[np.int64],
    cosine: bool,
    threads: int,
) -> FarRows:
    """The candidates of some blocks.

    Args:
        blocks: Rows with their labels.
        centroids: (k, d) that the labels belong to.
        counts: (k,), rows per cluster over all ranks.
        cosine: Whether the metric is cosine.
        threads: Number of threads.
    """
    limit = 2 * int((counts == 0).sum()) - 1
    dim = centroids.shape[1]
    none = np.empty(0)
    found = [
        FarRows(none.astype(int), none, none.astype(int), none, none, np.empty((0, dim), "f4"))
    ]
    for block in blocks if limit > 0 else ():
        found.append(_of_block(block, centroids, counts, cosine, limit, threads))
    return _first(found, max(limit, 0))


def moves_into_empty(
    far: Sequence[FarRows], counts: NDArray[np.int64]
) -> tuple[FarRows, NDArray[np.int64]]:
    """The rows that empty clusters take, and the clusters that take them."""
    line = _first(far, sum(len(part.rows) for part in far))
    left = counts.copy()
    taken: list[int] = []
    takers: list[int] = []
    empty = iter(np.flatnonzero(counts == 0))
    for at, label in enumerate(line.labels):
        if left[label] < 2:
            continue
        cluster = next(empty, None)
        if cluster is None:
            break
        left[label] -= 1
        taken.append(at)
        takers.append(int(cluster))
    return line.take(np.array(taken, np.intp)), np.array(takers, np.int64)


def _of_block(
    block: RowBlock,
    centroids: NDArray[np.float32],
    counts: NDArray[np.int64],
    cosine: bool,
    limit: int,
    threads: int,
) -> FarRows:
    all_labels = block.known_labels()
    distances = np.empty(block.count, np.float64)
    x = block.float32()
    _core.kmeans_distances(x, block.norms, cosine, centroids, all_labels, distances, threads)
    eligible = counts[all_labels] > 1
    if cosine:
        eligible &= block.norms > 0
    if block.weights is not None:
        eligible &= block.weights > 0
    rows = np.flatnonzero(eligible)
    if len(rows) > limit:  # all that are farther than the limit-th, and the lowest as far as it
        least = -np.partition(-distances[rows], limit - 1)[limit - 1]
        farther = rows[distances[rows] > least]
        as_far = rows[distances[rows] == least][: limit - len(farther)]
        rows = np.concatenate([farther, as_far])
    weights = np.ones(len(rows)) if block.weights is None else block.weights[rows]
    return FarRows(
        rows + block.first, distances[rows], all_labels[rows], block.norms[rows], weights, x[rows]
    )


def _first(parts: Sequence[FarRows], limit: int) -> FarRows:
    joined = FarRows(
        **{name: np.concatenate([getattr(p, name) for p in parts]) for name in vars(parts[0])}
    )
    return joined.take(np.lexsort((joined.rows, -joined.distances))[:limit])
