"""All pairs above a threshold, by other libraries."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmi_hpc.bench.problem import Answer, Competitor, Problem, nothing
from mmi_hpc.bench.shapes import THRESHOLD

_BLOCK_SCORES = 2**25


def faiss_index(problem: Problem) -> Any:
    """An index of unit rows."""
    import faiss

    faiss.omp_set_num_threads(problem.threads)
    index = faiss.IndexFlatIP(problem.shape.d)
    index.add(problem.unit("x"))
    return index


def faiss_range_search(problem: Problem, index: Any) -> Answer:
    """Range_search of every row; it has no self-join, so both halves of the square are computed."""
    queries = problem.unit("x")[: problem.lookups]
    limits, scores, j = index.range_search(queries, _below(THRESHOLD))
    i = np.repeat(np.arange(len(queries)), np.diff(limits.astype(np.int64)))
    once = i < j
    return Answer({"i": i[once], "j": j[once], "score": scores[once]})


def numpy_join(problem: Problem, _: Any) -> Answer:
    """Products of blocks above the diagonal."""
    x, n = problem.unit("x"), problem.shape.n
    step = max(1, min(2048, _BLOCK_SCORES // n))
    found: list[Any] = []
    for at in range(0, n, step):
        i, j = np.nonzero(x[at : at + step] @ x[at:].T >= np.float32(THRESHOLD))
        found.append((i[i < j] + at, j[i < j] + at))
    i, j = (np.concatenate(part) for part in zip(*found, strict=True))
    return Answer({"i": i, "j": j})


def torch_join(problem: Problem, _: Any) -> Answer:
    """Products of blocks above the diagonal."""
    import torch

    torch.set_num_threads(problem.threads)
    x, n = torch.from_numpy(problem.unit("x")), problem.shape.n
    step = max(1, min(2048, _BLOCK_SCORES // n))
    found = []
    with torch.inference_mode():
        for at in range(0, n, step):
            i, j = torch.nonzero(x[at : at + step] @ x[at:].T >= THRESHOLD, as_tuple=True)
            found.append((i[i < j].numpy() + at, j[i < j].numpy() + at))
    i, j = (np.concatenate(part) for part in zip(*found, strict=True))
    return Answer({"i": i, "j": j})


def _below(threshold: float) -> float:
    """Range_search wants more than its radius, we want at least the threshold."""
    return float(np.nextafter(np.float32(threshold), np.float32(0)))


COMPETITORS = (
    Competitor(
        *("faiss", "near_duplicates", faiss_range_search, faiss_index, "faiss", "faiss-cpu"),
        note="range_search, which has no self-join; unit rows in",
        unit=("x",),
        share=8,
    ),
    Competitor(
        *("torch", "near_duplicates", torch_join, nothing, "torch", "torch"),
        note="float32 mm above the diagonal; unit rows in",
        unit=("x",),
    ),
    Competitor(
        *("numpy", "near_duplicates", numpy_join),
        note="mm above the diagonal; unit rows in",
        unit=("x",),
    ),
)
