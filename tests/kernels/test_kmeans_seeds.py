"""Seeding and the whole driver give the same bytes on any number of ranks, blocks and threads."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
import pytest
from test_clustering import INITS, METRICS, blobs, fingerprint

from mmi_hpc.kernels import KMeansState, kmeans
from mmi_hpc.kernels.clustering import KMeansResult, lloyd
from mmi_hpc.kernels.kmeans_seeds import plus_plus, scalable


class Crowd:
    """Ranks as threads of one process."""

    def __init__(self, size):
        self.items, self.barrier = [None] * size, Barrier(size, timeout=60)

    def rank(self, number):
        crowd = self

        class Rank:
            def allgather(self, item):
                crowd.items[number] = pickle.dumps(item)  # a message, not shared memory
                crowd.barrier.wait()
                items = [pickle.loads(message) for message in crowd.items]
                crowd.barrier.wait()
                return items

            def allreduce(self, totals):
                return sum(self.allgather(totals))

        return Rank()


def kmeans_of_ranks(x, k, ends, metric, init, weights, max_iter):
    crowd = Crowd(len(ends) - 1)
    reach, top = np.abs(x).max(), 1.0 if weights is None else weights.max()

    def run(number):
        begin, end = ends[number], ends[number + 1]
        state = KMeansState(len(x), reach, top, k=k, dim=x.shape[1], metric=metric, threads=1)
        own = None if weights is None else weights[begin:end]
        blocks = state.blocks(x[begin:end], first=begin, weights=own)
        ranks = crowd.rank(number)
        seeding = plus_plus if init == "k-means++" else scalable
        seeds = seeding(state, blocks, 5, ranks)
        return lloyd(state, blocks, seeds, max_iter, 0.0, ranks)

    with ThreadPoolExecutor(len(ends) - 1) as pool:
        results = list(pool.map(run, range(len(ends) - 1)))
    assert len({r.centroids.tobytes() for r in results}) == 1
    labels = np.concatenate([r.labels for r in results])
    last = results[-1]
    return KMeansResult(
        last.centroids, labels, last.inertia, last.counts, last.n_iter, last.converged
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("init", INITS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ends", [[0, 120], [0, 13, 120], [0, 1, 1, 60, 119, 120]])
def test_ranks_get_the_bytes_of_one_process(metric, init, weighted, ends):
    x = np.concatenate([blobs(rows=100, dim=9, centres=12), np.ones((20, 9), np.float32)])
    x = x[np.random.default_rng(0).permutation(len(x))]
    weights = np.random.default_rng(3).integers(0, 4, len(x)) * 0.7 if weighted else None
    whole = kmeans(x, 11, metric=metric, init=init, weights=weights, seed=5, max_iter=6)
    split = kmeans_of_ranks(x, 11, ends, metric, init, weights, 6)
    assert fingerprint(split) == fingerprint(whole)


@pytest.mark.parametrize("ends", [[0, 8], [0, 3, 8]])
@pytest.mark.parametrize("init", INITS)
def test_ranks_agree_where_clusters_outnumber_different_rows(ends, init):
    x = np.repeat(np.eye(3, 4, dtype=np.float32), [3, 1, 4], axis=0)
    whole = kmeans(x, 6, init=init, seed=5, max_iter=4)
    assert fingerprint(kmeans_of_ranks(x, 6, ends, "cosine", init, None, 4)) == fingerprint(whole)
    assert sorted(whole.counts)[:3] == [0, 0, 0]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("init", INITS)
def test_seeds_are_different_rows_while_there_are_such(metric, init):
    x = np.repeat(blobs(rows=40, dim=5, centres=3), 7, axis=0)
    seeds = kmeans(x, 40, metric=metric, init=init, max_iter=1)
    assert (seeds.counts == 7).all()
    assert seeds.converged


@pytest.mark.parametrize("metric", METRICS)
def test_well_separated_blobs_are_all_found(metric):
    rng = np.random.default_rng(1)
    centres = rng.standard_normal((20, 32)) * 20
    truth = rng.integers(20, size=2000)
    x = (centres[truth] + rng.standard_normal((2000, 32))).astype(np.float32)
    for seed in range(3):
        labels = kmeans(x, 20, metric=metric, seed=seed).labels
        assert len(set(zip(truth.tolist(), labels.tolist(), strict=True))) <= 23


def test_rows_without_weight_are_no_seeds():
    x = np.concatenate([blobs(rows=50), 100 + blobs(rows=50)])
    weights = np.repeat([1.0, 0.0], 50)
    for init in INITS:
        result = kmeans(x, 8, metric="euclidean", init=init, weights=weights)
        assert np.abs(result.centroids).max() < 50
