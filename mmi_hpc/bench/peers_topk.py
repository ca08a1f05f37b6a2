"""Top-k searches of other libraries, each as its users would call it."""

from __future__ import annotations

from typing import Any

import numpy as np

from mmi_hpc.bench.problem import Answer, Competitor, Problem, nothing

_BLOCK_SCORES = 2**25  # scores held at a time by those that first write them all out: 128 MiB


def faiss_index(problem: Problem) -> Any:
    """An index of unit rows."""
    import faiss

    faiss.omp_set_num_threads(problem.threads)
    index = faiss.IndexFlatIP(problem.shape.d)
    index.add(problem.unit("bank"))
    return index


def faiss_search(problem: Problem, index: Any) -> Answer:
    """IndexFlatIP.search."""
    scores, indices = index.search(problem.unit("queries"), problem.shape.k)
    return Answer({"indices": indices, "scores": scores})


def torch_bank(problem: Problem) -> Any:
    """The bank as a tensor; no copy."""
    import torch

    torch.set_num_threads(problem.threads)
    return torch.from_numpy(problem.unit("bank"))


def torch_bank_bf16(problem: Problem) -> Any:
    """The bank in bfloat16."""
    return torch_bank(problem).bfloat16()


def torch_search(problem: Problem, bank: Any) -> Answer:
    """Product and topk, in blocks of queries; in the bank's number format."""
    import torch

    queries = torch.from_numpy(problem.unit("queries"))
    n, k = problem.shape.n, problem.shape.k
    scores = np.empty((n, k), np.float32)
    indices = np.empty((n, k), np.int64)
    step = _rows_per_block(problem)
    with torch.inference_mode():
        for at in range(0, n, step):
            found = torch.topk(queries[at : at + step].to(bank.dtype) @ bank.T, k)
            scores[at : at + step] = found.values.float().numpy()
            indices[at : at + step] = found.indices.numpy()
    return Answer({"indices": indices, "scores": scores})


def numpy_search(problem: Problem, _: Any) -> Answer:
    """Product, argpartition, and a sort of what is left; in blocks of queries."""
    queries, bank = problem.unit("queries"), problem.unit("bank")
    n, m, k = problem.shape.n, problem.shape.m, problem.shape.k
    indices = np.empty((n, k), np.int64)
    step = _rows_per_block(problem)
    for at in range(0, n, step):
        table = queries[at : at + step] @ bank.T
        best = np.argpartition(table, m - k, axis=1)[:, m - k :]
        order = np.argsort(-np.take_along_axis(table, best, 1), axis=1, kind="stable")
        indices[at : at + step] = np.take_along_axis(best, order, 1)
    return Answer({"indices": indices})


def sklearn_fit(problem: Problem) -> Any:
    """A brute-force searcher."""
    from sklearn.neighbors import NearestNeighbors

    return _neighbours(NearestNeighbors, problem)


def sklearnex_fit(problem: Problem) -> Any:
    """The accelerated one."""
    from sklearnex.neighbors import NearestNeighbors

    return _neighbours(NearestNeighbors, problem)


def sklearn_search(problem: Problem, fitted: Any) -> Answer:
    """Kneighbors, which is brute force by cosine distance."""
    return Answer({"indices": fitted.kneighbors(problem["queries"], return_distance=False)})


def usearch_search(problem: Problem, _: Any) -> Answer:
    """Exact search of usearch."""
    import usearch.index

    found = usearch.index.search(
        problem["bank"],
        problem["queries"],
        problem.shape.k,
        usearch.index.MetricKind.Cos,
        exact=True,
        threads=problem.threads,
    )
    keys = np.asarray(found.keys).reshape(problem.shape.n, -1)
    return Answer({"indices": keys.astype(np.int64)})


def _neighbours(searcher: Any, problem: Problem) -> Any:
    made = searcher(
        n_neighbors=problem.shape.k, algorithm="brute", metric="cosine", n_jobs=problem.threads
    )
    return made.fit(problem["bank"])


def _rows_per_block(problem: Problem) -> int:
    return max(1, _BLOCK_SCORES // problem.shape.m)


_BOTH = ("queries", "bank")
COMPETITORS = (
    Competitor(
        *("faiss", "topk", faiss_search, faiss_index, "faiss", "faiss-cpu"),
        note="IndexFlatIP; unit rows in",
        unit=_BOTH,
    ),
    Competitor(
        *("torch", "topk", torch_search, torch_bank, "torch", "torch"),
        note="float32 mm + topk in blocks; unit rows in",
        unit=_BOTH,
    ),
    Competitor(
        *("torch-bf16", "topk", torch_search, torch_bank_bf16, "torch", "torch"),
        note="bfloat16 mm + topk in blocks, inexact; unit rows in",
        unit=_BOTH,
    ),
    Competitor("numpy", "topk", numpy_search, note="mm + argpartition; unit rows in", unit=_BOTH),
    Competitor(
        *("sklearn", "topk", sklearn_search, sklearn_fit, "sklearn", "scikit-learn"),
        note="NearestNeighbors brute",
    ),
    Competitor(
        *("sklearnex", "topk", sklearn_search, sklearnex_fit, "sklearnex", "scikit-learn-intelex"),
        note="NearestNeighbors brute",
    ),
    Competitor(
        *("usearch", "topk", usearch_search, nothing, "usearch", "usearch"),
        note="exact search",
        share=8,
    ),
)
