"""k-means of other libraries: whole fits from the same centroids, to centroids and labels."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from mmi_hpc.bench.problem import Answer, Competitor, Problem

_BLOCK_SCORES = 2**25
_ALL_POINTS = 2**31 - 1


def faiss_spherical(problem: Problem, _: Any) -> Answer:
    """faiss.Kmeans, spherical, on unit rows."""
    return _faiss(problem, problem.unit("x"), spherical=True)


def faiss_plain(problem: Problem, _: Any) -> Answer:
    """faiss.Kmeans."""
    return _faiss(problem, problem["x"], spherical=False)


def sklearn_fit(problem: Problem, _: Any) -> Answer:
    """KMeans of scikit-learn, Lloyd's algorithm."""
    from sklearn.cluster import KMeans

    return _fit(KMeans, problem)


def sklearnex_fit(problem: Problem, _: Any) -> Answer:
    """The accelerated KMeans."""
    from sklearnex.cluster import KMeans

    return _fit(KMeans, problem)


def torch_bf16(problem: Problem, _: Any) -> Answer:
    """Assignment by a bfloat16 product, sums by index_add in float32."""
    import torch

    torch.set_num_threads(problem.threads)
    with torch.inference_mode():
        x = torch.from_numpy(problem.unit("x"))
        low = x.bfloat16()
        centroids = torch.from_numpy(problem.unit("init")).clone()
        for _iteration in range(problem.shape.iterations):
            labels = _nearest(low, centroids)
            sums = torch.zeros_like(centroids).index_add_(0, labels, x)
            filled = sums.norm(dim=1, keepdim=True) > 0
            centroids = torch.where(filled, torch.nn.functional.normalize(sums), centroids)
        labels = _nearest(low, centroids)
    arrays = {"labels": labels.numpy(), "centroids": centroids.numpy()}
    return Answer(arrays, problem.shape.iterations)


def _nearest(low: Any, centroids: Any) -> Any:
    import torch

    bank = centroids.bfloat16().T
    step = max(1, _BLOCK_SCORES // bank.shape[1])
    blocks = range(0, len(low), step)
    return torch.cat([(low[at : at + step] @ bank).argmax(1) for at in blocks])


def _faiss(problem: Problem, x: Any, spherical: bool) -> Answer:
    import faiss

    faiss.omp_set_num_threads(problem.threads)
    shape = problem.shape
    clustering = faiss.Kmeans(
        shape.d,
        shape.k,
        niter=shape.iterations,
        nredo=1,
        spherical=spherical,
        min_points_per_centroid=1,
        max_points_per_centroid=_ALL_POINTS // shape.k,
    )
    start = time.perf_counter()
    clustering.train(x, init_centroids=problem["init"])
    trained = time.perf_counter()
    labels = clustering.index.search(x, 1)[1][:, 0]
    phases = {"train": trained - start, "labels": time.perf_counter() - trained}
    arrays = {"labels": labels, "centroids": np.asarray(clustering.centroids)}
    return Answer(arrays, shape.iterations, phases)


def _fit(estimator: Any, problem: Problem) -> Answer:
    shape = problem.shape
    made = estimator(
        n_clusters=shape.k,
        init=problem["init"],
        n_init=1,
        max_iter=shape.iterations,
        tol=0,
        algorithm="lloyd",
    )
    fitted = made.fit(problem["x"])
    arrays = {"labels": fitted.labels_, "centroids": fitted.cluster_centers_}
    return Answer(arrays, int(fitted.n_iter_))


COMPETITORS = (
    Competitor(
        *("faiss", "kmeans", faiss_spherical),
        module="faiss",
        package="faiss-cpu",
        note="spherical, all points; unit rows in",
        unit=("x",),
    ),
    Competitor(
        *("torch-bf16", "kmeans", torch_bf16),
        module="torch",
        package="torch",
        note="bfloat16 mm + index_add, inexact; unit rows in",
        unit=("x", "init"),
    ),
    Competitor(
        *("faiss", "kmeans", faiss_plain),
        module="faiss",
        package="faiss-cpu",
        note="all points",
        metric="euclidean",
    ),
    Competitor(
        *("sklearn", "kmeans", sklearn_fit),
        module="sklearn",
        package="scikit-learn",
        note="Lloyd",
        metric="euclidean",
    ),
    Competitor(
        *("sklearnex", "kmeans", sklearnex_fit),
        module="sklearnex",
        package="scikit-learn-intelex",
        note="Lloyd",
        metric="euclidean",
    ),
)
