"""The integer totals of k-means: what blocks, streams and MPI ranks add up to the same bytes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import as_rows, check_count, check_threads
from mmi_hpc.kernels.kmeans_blocks import RowBlock, absolute_maximum, split
from mmi_hpc.kernels.kmeans_empty import FarRows, far_rows_of, moves_into_empty
from mmi_hpc.kernels.kmeans_scale import SHARE_CAP, Scale

_CHANGES, _SPEAKING, _SHARES, _INERTIA = range(-4, 0)


class KMeansState:
    """Sums of the rows of each cluster, in int64 fixed point.

    The step of the sums follows from the constructor's arguments alone. States that were given the
    same ones can be added: with `merge`, or by an MPI allreduce (SUM, int64) of `totals`, which is
    also all there is to save and to load. `accumulate` keeps a state up to date: only rows whose
    label changed are read again, and exactly, so nothing drifts.

    Args:
        n_total: Rows over all ranks; more cannot be accumulated.
        absmax: Largest |value| of all rows, and of given centroids. Only its power of two matters,
            and under the cosine metric nothing does.
        weight_max: Largest weight of all rows.
        k: Number of clusters.
        dim: Columns d.
        metric: "cosine" or "euclidean".
        threads: Number of threads; by default the cores this process may run on.

    Attributes:
        totals: int64, flat: sums (k, d), weight sums (k,), counts (k,), and four numbers.

    Raises:
        ValueError: An argument is out of range.

    Example:
        Two ranks, of which each holds some of the rows:

        >>> x = np.random.default_rng(0).standard_normal((100, 8), dtype=np.float32)
        >>> centroids = x[:5]
        >>> ranks = [KMeansState(100, 1.0, k=5, dim=8) for _ in range(2)]
        >>> blocks = [ranks[0].blocks(x[:30]), ranks[1].blocks(x[30:], first=30)]
        >>> for _ in range(3):
        ...     for rank, rows in zip(ranks, blocks):
        ...         rank.accumulate(rows, centroids)
        ...     total = ranks[0].copy()
        ...     total.merge(ranks[1])  # comm.Allreduce(rank.totals, total.totals)
        ...     far = [total.farthest(rows, centroids) for rows in blocks]  # comm.allgather
        ...     centroids = total.refilled(far).centroids(centroids)
        >>> whole = kmeans(x, 5, init=x[:5], max_iter=3)
        >>> whole.centroids.tobytes() == centroids.tobytes()
        True
    """

    def __init__(
        self,
        n_total: int,
        absmax: float,
        weight_max: float = 1.0,
        *,
        k: int,
        dim: int,
        metric: Literal["cosine", "euclidean"] = "cosine",
        threads: int | None = None,
    ) -> None:
        self.n_total = check_count("n_total", n_total)
        self.k, self.dim = check_count("k", k), check_count("dim", dim)
        check_metric(metric)
        if not (math.isfinite(absmax) and absmax >= 0):
            raise ValueError(f"absmax is {absmax}, but must be finite and not negative")
        if not (math.isfinite(weight_max) and weight_max > 0):
            raise ValueError(f"weight_max is {weight_max}, but must be finite and positive")
        self.metric, self.absmax, self.weight_max = metric, float(absmax), float(weight_max)
        self.threads = check_threads(threads)
        self.totals = np.zeros(self.k * (self.dim + 2) + 4, np.int64)

        self.scale = Scale.of(n_total, self.absmax, self.weight_max, self.dim, self.cosine)

    @property
    def cosine(self) -> bool:
        """Whether the metric is cosine."""
        return self.metric == "cosine"

    @property
    def sums(self) -> NDArray[np.int64]:
        """Fixed-point sums of weighted rows, (k, d): a view of `totals`."""
        return self.totals[: self.k * self.dim].reshape(self.k, self.dim)

    @property
    def weight_sums(self) -> NDArray[np.int64]:
        """Fixed-point sums of weights, (k,): a view of `totals`."""
        return self.totals[self.k * self.dim :][: self.k]

    @property
    def counts(self) -> NDArray[np.int64]:
        """Rows per cluster, (k,): a view of `totals`."""
        return self.totals[self.k * (self.dim + 1) :][: self.k]

    @property
    def changes(self) -> int:
        """Labels that were new or changed, since the state was made."""
        return int(self.totals[_CHANGES])

    @property
    def inertia(self) -> float:
        """What `add_inertia` added: the weighted sum of distances."""
        return self.scale.distance(int(self.totals[_INERTIA]))

    def blocks(self, x: Any, *, first: int = 0, weights: Any = None) -> list[RowBlock]:
        """Rows made ready: checked, measured, and read in parts if they are not resident float32.

        Args:
            x: (n, d) as in `kmeans`.
            first: Number of its first row among the rows of all ranks.
            weights: (n,) non-negative, at most `weight_max`; default ones.

        Raises:
            TypeError: `x` or `weights` has another dtype or is no array.
            ValueError: A shape, a row or a weight does not fit the state.
        """
        rows = as_rows("x", x)
        if rows.dim != self.dim:
            raise ValueError(f"x has {rows.dim} columns, but the state was made for {self.dim}")
        values = check_weights(weights, rows.count)
        if values is not None and values.size and values.max() > self.weight_max:
            raise ValueError(f"a weight is {values.max()}, above weight_max={self.weight_max}")
        blocks = split(rows, self.threads)
        if not self.cosine and (reach := absolute_maximum(blocks, self.threads)) > self.absmax:
            raise ValueError(f"x reaches {reach}, but the state was made for absmax={self.absmax}")
        for block in blocks:
            block.first = first + block.begin
        self.set_weights(blocks, values)
        return blocks

    def set_weights(self, blocks: Iterable[RowBlock], weights: NDArray[np.float64] | None) -> None:
        """Give the blocks of one array its weights, scaled as all weights of this state are."""
        if weights is None:
            return
        scaled = np.ldexp(weights, -self.scale.shift)
        for block in blocks:
            block.weights = scaled[block.begin : block.end]

    def assign(
        self, block: RowBlock, x: NDArray[np.float32], centroids: NDArray[np.float32]
    ) -> NDArray[np.int64]:
        """The exact labels of one block, whose float32 rows are x. Nothing else finds labels."""
        labels = np.empty(block.count, np.int64)
        packed = block.pack(x, self.cosine, self.threads)
        _core.kmeans_assign(packed, centroids, labels, self.threads)
        return labels

    def accumulate(self, blocks: Iterable[RowBlock], centroids: NDArray[np.float32]) -> None:
        """Assign all rows anew, into `block.labels`, and bring the sums up to date.

        An exception, Ctrl-C included, leaves the state without meaning.
        """
        centroids = self._checked("centroids", centroids)
        for block in blocks:
            x = block.float32()
            labels = self.assign(block, x, centroids)
            if block.labels is None:
                self._add_resolution(block)
            self._add(x, block, labels, block.labels)
            block.labels = labels
        self._check_count()

    def merge(self, other: KMeansState) -> None:
        """Add the totals of rows that `other` has seen.

        Raises:
            ValueError: The two were made with other arguments, so their steps differ.
        """
        if self._identity() != other._identity():
            raise ValueError(
                f"states made with {other._identity()} and {self._identity()} cannot be merged"
            )
        self.totals += other.totals
        self._check_count()

    def copy(self, totals: NDArray[np.int64] | None = None) -> KMeansState:
        """A state of the same arguments with a copy of these totals, or with the given ones."""
        twin = object.__new__(KMeansState)
        twin.__dict__.update(self.__dict__)
        twin.totals = self.totals.copy() if totals is None else totals
        return twin

    def farthest(self, blocks: Iterable[RowBlock], centroids: NDArray[np.float32]) -> FarRows:
        """The rows among which `refilled` can choose. Call it on the merged state."""
        centroids = self._checked("centroids", centroids)
        return far_rows_of(blocks, centroids, self.counts, self.cosine, self.threads)

    def refilled(self, far: Sequence[FarRows]) -> KMeansState:
        """A copy in which every empty cluster has taken a row, as far as there are rows to take.

        Args:
            far: What `farthest` returned, on every rank and in any order.
        """
        moved, labels = moves_into_empty(far, self.counts)
        filled = self.copy()
        if len(labels):
            filled._add(moved.x, moved, labels, moved.labels)
            filled.totals[_CHANGES] = self.changes
        return filled

    def centroids(self, previous: NDArray[np.float32]) -> NDArray[np.float32]:
        """The means as float32 (k, d); a cluster without a mean keeps its row of `previous`.

        Raises:
            ValueError: The step of the sums is too coarse for the rows.
        """
        return self.moved_centroids(previous)[0]

    def moved_centroids(self, previous: NDArray[np.float32]) -> tuple[NDArray[np.float32], float]:
        """`centroids`, and how far the farthest of them moved."""
        self._check_resolution()
        previous = self._checked("previous", previous)
        means = np.empty_like(previous)
        move = _core.kmeans_centroids(
            self.sums,
            self.weight_sums,
            self.counts,
            self.cosine,
            self.scale.values,
            self.scale.weights,
            previous,
            means,
            self.threads,
        )
        return means, move

    def add_inertia(self, blocks: Iterable[RowBlock], centroids: NDArray[np.float32]) -> None:
        """Add the weighted distances of the rows to the centroids of their labels."""
        centroids = self._checked("centroids", centroids)
        for block in blocks:
            self.totals[_INERTIA] += _core.kmeans_inertia(
                block.float32(),
                block.norms,
                block.weights,
                self.cosine,
                centroids,
                block.known_labels(),
                self.scale.distances,
                self.threads,
            )

    def _add(
        self,
        x: NDArray[np.float32],
        rows: RowBlock | FarRows,
        labels: NDArray[np.int64],
        previous: NDArray[np.int64] | None,
    ) -> None:
        self.totals[_CHANGES] += _core.kmeans_accumulate(
            x,
            rows.norms,
            rows.weights,
            self.cosine,
            labels,
            previous,
            self.scale.values,
            self.scale.weights,
            self.sums,
            self.weight_sums,
            self.counts,
            self.threads,
        )

    def _add_resolution(self, block: RowBlock) -> None:
        rows, shares = _core.kmeans_resolution(
            block.norms,
            block.weights,
            self.cosine,
            self.scale.unit,
            SHARE_CAP,
            self.scale.shares,
            self.threads,
        )
        self.totals[_SPEAKING] += rows
        self.totals[_SHARES] += shares

    def _checked(self, name: str, centroids: Any) -> NDArray[np.float32]:
        rows = as_rows(name, centroids)
        if (rows.count, rows.dim) != (self.k, self.dim):
            raise ValueError(
                f"{name} has shape {(rows.count, rows.dim)}, but the state was made for "
                f"{(self.k, self.dim)}"
            )
        return rows.float32()

    def _check_count(self) -> None:
        if self.counts.sum() > self.n_total:
            raise ValueError(f"more rows were accumulated than n_total={self.n_total}")

    def _check_resolution(self) -> None:
        rows, shares = int(self.totals[_SPEAKING]), int(self.totals[_SHARES])
        if refusal := self.scale.refusal(rows, shares, self.n_total):
            raise ValueError(refusal)

    def _identity(self) -> dict[str, Any]:
        names = ("n_total", "absmax", "weight_max", "k", "dim", "metric")
        return {name: getattr(self, name) for name in names}


def check_metric(metric: str) -> None:
    """Refuse a metric that is not known."""
    if metric not in ("cosine", "euclidean"):
        raise ValueError(f"metric={metric!r} is not known: use 'cosine' or 'euclidean'")


def check_weights(weights: Any, rows: int) -> NDArray[np.float64] | None:
    """The weights of an argument as float64.

    Raises:
        TypeError: The dtype is neither float32 nor float64.
        ValueError: The shape is not (rows,), or a weight is negative or not finite.
    """
    if weights is None:
        return None
    values = np.asarray(weights)
    if values.dtype.kind != "f" or values.dtype.itemsize not in (4, 8):
        raise TypeError(f"weights has dtype {values.dtype}, but float32 or float64 is needed")
    if values.shape != (rows,):
        raise ValueError(
            f"weights has shape {values.shape}, but x has {rows} rows; pass one weight per row"
        )
    bad = np.flatnonzero(~(np.isfinite(values) & (values >= 0)))
    if bad.size:
        raise ValueError(
            f"weight {bad[0]} is {values[bad[0]]}; weights must be finite and not negative"
        )
    return np.require(values, np.float64, ["C_CONTIGUOUS", "ALIGNED"])
