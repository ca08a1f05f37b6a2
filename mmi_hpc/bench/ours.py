"""Our kernels as competitors: the rows that the others are compared with."""

from __future__ import annotations

from typing import Any

import numpy as np

import mmi_hpc.kernels
from mmi_hpc.bench.problem import Answer, Competitor, Problem
from mmi_hpc.bench.shapes import THRESHOLD

NAME = "mmi_hpc"
kernels: Any = mmi_hpc.kernels


def isa() -> str:
    """The instruction set that the loaded kernels use."""
    return str(kernels.info()["isa"])


def pack(problem: Problem) -> Any:
    """The bank, packed once for many calls."""
    return kernels.Bank(problem["bank"], threads=problem.threads)


def topk(problem: Problem, bank: Any, precision: str = "exact") -> Answer:
    """cosine_topk."""
    found = kernels.cosine_topk(
        problem["queries"], bank, problem.shape.k, precision=precision, threads=problem.threads
    )
    return _with_stats({"indices": found.indices, "scores": found.scores}, found)


def scan(problem: Problem, bank: Any) -> Answer:
    """cosine_topk without the certificate."""
    return topk(problem, bank, "scan")


def kmeans(problem: Problem, _: Any, metric: str = "cosine") -> Answer:
    """A whole fit from given centroids."""
    found = kernels.kmeans(
        problem["x"],
        problem.shape.k,
        metric=metric,
        init=problem["init"],
        max_iter=problem.shape.iterations,
        threads=problem.threads,
    )
    arrays = {"labels": found.labels, "centroids": found.centroids}
    return _with_stats(arrays, found, found.n_iter)


def euclidean(problem: Problem, _: Any) -> Answer:
    """A whole fit by Euclidean distance."""
    return kmeans(problem, _, "euclidean")


def near_duplicates(problem: Problem, _: Any) -> Answer:
    """All pairs, joined."""
    blocks = list(kernels.near_duplicates(problem["x"], THRESHOLD, threads=problem.threads))
    names = ("i", "j", "score")
    parts = zip(*[(block.i, block.j, block.score) for block in blocks], strict=True)
    return Answer({name: np.concatenate(part) for name, part in zip(names, parts, strict=True)})


def _with_stats(arrays: dict[str, Any], found: Any, iterations: int = 0) -> Answer:
    stats = getattr(found, "stats", None)
    names = ("isa", "survivors", "rescored", "overflow_rows")
    numbers = {name: getattr(stats, name) for name in names if hasattr(stats, name)}
    phases = {name: float(value) for name, value in (getattr(stats, "seconds", None) or {}).items()}
    return Answer(arrays, iterations, phases, numbers)


COMPETITORS = (
    Competitor(NAME, "topk", topk, pack),
    Competitor(f"{NAME} scan", "topk", scan, pack, note="ids and scores not certified"),
    Competitor(NAME, "kmeans", kmeans),
    Competitor(NAME, "kmeans", euclidean, metric="euclidean"),
    Competitor(NAME, "near_duplicates", near_duplicates),
)
