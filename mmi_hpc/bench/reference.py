"""The truth, in float64, on a sample of rows, and how far an answer agrees with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.bench.problem import Problem
from mmi_hpc.bench.shapes import THRESHOLD

Array = NDArray[Any]
_SAMPLE = {"topk": 256, "kmeans": 2000, "near_duplicates": 256}
_BLOCK = 8192


@dataclass(frozen=True)
class Agreement:
    """How an answer compares.

    Attributes:
        exact: Share of sampled rows whose whole list (topk), label (kmeans) or set of partners
            (near_duplicates) is that of the float64 reference.
        recall: Share of the reference's items that were found; None for kmeans.
        rows: Sampled rows.
        objective: Mean cosine to the own centroid, or mean squared distance (kmeans).
    """

    exact: float
    recall: float | None
    rows: int
    objective: float | None = None


class Reference:
    """The float64 answers for a sample of a problem's rows, computed once."""

    def __init__(self, problem: Problem, seed: int = 0) -> None:
        self._problem = problem
        count = min(problem.shape.n, _SAMPLE[problem.shape.task])
        random = np.random.default_rng(seed)
        # Competitors that are timed on a part of the rows have the first ones.
        first = np.arange(min(count // 4, problem.shape.n // 8))
        rest = random.choice(np.arange(len(first), problem.shape.n), count - len(first), False)
        self._sample = np.concatenate([first, np.sort(rest)]).astype(np.int64)
        self._lists: Array | None = None
        self._sets: list[Array] | None = None

    def compare(self, answer: Mapping[str, Array], metric: str, lookups: int) -> Agreement:
        """Hold an answer against the reference.

        Args:
            answer: Arrays as in `Answer`.
            metric: "cosine" or "euclidean" (kmeans).
            lookups: Rows that the competitor worked on, the first ones.
        """
        task = self._problem.shape.task
        if task == "kmeans":
            return self._labels(answer["labels"], answer["centroids"], metric)
        if task == "topk":
            return self._indices(answer["indices"], self._sample < lookups)
        return self._pairs(answer["i"], answer["j"], lookups)

    def _indices(self, indices: Array, done: Array) -> Agreement:
        if self._lists is None:
            queries = self._problem["queries"][self._sample]
            self._lists = best(cosines(queries, self._problem["bank"]), self._problem.shape.k)
        truth, found = self._lists[done], indices[self._sample[done]]
        exact = (truth == found).all(axis=1)
        shared = [len(np.intersect1d(a, b)) for a, b in zip(truth, found, strict=True)]
        return Agreement(float(exact.mean()), sum(shared) / truth.size, len(truth))

    def _labels(self, labels: Array, centroids: Array, metric: str) -> Agreement:
        rows, own = self._problem["x"][self._sample], labels[self._sample]
        places = np.arange(len(rows))
        if metric == "cosine":
            table: Array = cosines(rows, centroids)
            objective = float(table[places, own].mean(dtype=np.float64))
        else:
            x, c = rows.astype(np.float64), centroids.astype(np.float64)
            table = x @ c.T - 0.5 * np.einsum("ij,ij->i", c, c)
            objective = float((np.einsum("ij,ij->i", x, x) - 2 * table[places, own]).mean())
        share = float((table.argmax(axis=1) == own).mean())
        return Agreement(share, None, len(rows), objective)

    def _pairs(self, i: Array, j: Array, lookups: int) -> Agreement:
        if self._sets is None:
            table = cosines(self._problem["x"][self._sample], self._problem["x"])
            self._sets = [
                np.flatnonzero(row[at + 1 :] >= np.float32(THRESHOLD)) + at + 1
                for at, row in zip(self._sample, table, strict=True)
            ]
        order = np.argsort(i, kind="stable")
        i, j = i[order], j[order]
        equal, shared, total = [], 0, 0
        for at, truth in zip(self._sample, self._sets, strict=True):
            if at >= lookups:
                continue
            found = np.sort(j[np.searchsorted(i, at) : np.searchsorted(i, at, "right")])
            equal.append(np.array_equal(found, truth))
            shared += len(np.intersect1d(found, truth))
            total += len(truth)
        return Agreement(float(np.mean(equal)), shared / total if total else 1.0, len(equal))


def cosines(x: Array, y: Array) -> NDArray[np.float32]:
    """Cosines in float64, rounded once to float32; 0 for a zero row."""
    x64 = x.astype(np.float64)
    norms = np.sqrt(np.einsum("ij,ij->i", x64, x64))
    result = np.empty((len(x), len(y)), np.float32)
    for at in range(0, len(y), _BLOCK):
        block = y[at : at + _BLOCK].astype(np.float64)
        lengths = norms[:, None] * np.sqrt(np.einsum("ij,ij->i", block, block))
        dots = x64 @ block.T
        divided = np.divide(dots, lengths, out=np.zeros_like(dots), where=lengths > 0)
        result[:, at : at + _BLOCK] = divided + 0.0
    return result


def best(table: NDArray[np.float32], k: int) -> NDArray[np.int64]:
    """Indices of the k highest of every row; of equal ones the lowest first."""
    return np.argsort(-table, axis=1, kind="stable")[:, :k]
