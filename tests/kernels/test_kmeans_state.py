"""KMeansState adds up to the same bytes for any split of the rows; what does not fit is refused."""

from __future__ import annotations

import doctest
from itertools import pairwise

import kernel_reference as reference
import numpy as np
import pytest
from test_clustering import METRICS, blobs

from mmi_hpc.kernels import KMeansState, kmeans, kmeans_state

SPLITS = [[0, 90], [0, 7, 90], [0, 1, 1, 40, 88, 90]]


def states_and_blocks(x, weights, k, metric, ends, init):
    top = 1.0 if weights is None else weights.max()
    reach = max(np.abs(x).max(), np.abs(init).max())
    states, blocks = [], []
    for begin, end in pairwise(ends):
        state = KMeansState(len(x), reach, top, k=k, dim=x.shape[1], metric=metric, threads=1)
        own = None if weights is None else weights[begin:end]
        states.append(state)
        blocks.append(state.blocks(x[begin:end], first=begin, weights=own))
    return states, blocks


def merged(states):
    total = states[0].copy()
    for other in states[1:]:
        total.merge(other)
    return total


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("ends", SPLITS)
def test_ranks_get_the_bytes_of_one_process(metric, weighted, ends):
    x = np.concatenate([blobs(rows=80, dim=11), np.zeros((10, 11), np.float32)])
    weights = np.random.default_rng(3).integers(0, 4, 90) * 0.7 if weighted else None
    init = np.concatenate([x[:4], -50 * np.abs(x[4:7])])  # the last three attract no row
    states, blocks = states_and_blocks(x, weights, 7, metric, ends, init)
    centroids, was_empty = init, 0
    whole = kmeans(x, 7, metric=metric, init=init, weights=weights, max_iter=3, threads=2)
    for _ in range(whole.n_iter):
        for state, rows in zip(states, blocks, strict=True):
            state.accumulate(rows, centroids)
        total = merged(states)
        was_empty += (total.counts == 0).sum()
        far = [total.farthest(rows, centroids) for rows in reversed(blocks)]
        centroids = total.refilled(far).centroids(centroids)
    for state, rows in zip(states, blocks, strict=True):
        state.accumulate(rows, centroids)
        state.add_inertia(rows, centroids)
    total = merged(states)

    labels = [block.labels for rows in blocks for block in rows]
    assert was_empty >= 2
    assert centroids.tobytes() == whole.centroids.tobytes()
    assert np.concatenate(labels).tobytes() == whole.labels.tobytes()
    assert total.counts.tobytes() == whole.counts.tobytes()
    assert total.inertia == whole.inertia


@pytest.mark.parametrize("metric", METRICS)
def test_sums_that_followed_many_changes_are_those_computed_afresh(metric):
    x, rng = blobs(rows=400, dim=21), np.random.default_rng(7)
    weights = rng.random(400)
    make = lambda: states_and_blocks(x, weights, 9, metric, [0, 400], x)  # noqa: E731
    (old,), (old_rows,) = make()
    for _ in range(20):
        centroids = x[rng.integers(400, size=9)]
        old.accumulate(old_rows, centroids)
    (fresh,), (fresh_rows,) = make()
    fresh.accumulate(fresh_rows, centroids)
    assert old.changes > fresh.changes == 400
    for name in ("sums", "weight_sums", "counts"):
        assert getattr(old, name).tobytes() == getattr(fresh, name).tobytes()


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("threads", [1, 2, 8])
def test_one_giant_cluster_is_summed_exactly(metric, threads):
    x = blobs(rows=6000, dim=19, centres=2)
    weights = np.random.default_rng(1).random(6000)
    model = reference.KMeans(x, 2, metric, weights)
    state = KMeansState(6000, np.abs(x).max(), weights.max(), k=2, dim=19, metric=metric)
    state.threads = threads
    centroids = np.stack([x[0], -1000 * x[0]])
    labels = model.assign(centroids)[0]
    state.accumulate(state.blocks(x, weights=weights), centroids)
    factors = np.array(model.weights) / (np.sqrt(model.squared) if metric == "cosine" else 1.0)
    scaled = np.rint(x * np.ldexp(factors, model.sums.exponent)[:, None]).astype(np.int64)
    for cluster in range(2):
        np.testing.assert_array_equal(state.sums[cluster], scaled[labels == cluster].sum(axis=0))


def test_values_at_the_end_of_the_range_are_rounded_to_even():
    x = np.array([[2**60 + 2**37, -(2**60), 3, -5]], np.float32) * np.float32(2.0**-61)
    state = KMeansState(1, 0.75, k=1, dim=4, metric="euclidean")  # the step is 2^-60
    state.accumulate(state.blocks(x), x)
    assert state.sums.tolist() == [[2**59 + 2**36, -(2**59), 2, -2]]


def test_totals_are_all_there_is_to_save():
    x = blobs()
    state = KMeansState(len(x), 1.0, k=3, dim=6)
    state.accumulate(state.blocks(x), x[:3])
    loaded = KMeansState(len(x), 1.0, k=3, dim=6)
    loaded.totals[:] = np.frombuffer(state.totals.tobytes(), np.int64)
    assert loaded.centroids(x[:3]).tobytes() == state.centroids(x[:3]).tobytes()


def test_a_step_too_coarse_for_the_rows_is_refused_with_the_numbers():
    x = np.full((4, 2), 0.1, np.float32)
    state = KMeansState(10**6, 1e6, k=1, dim=2, metric="euclidean")
    state.accumulate(state.blocks(x), x[:1])
    with pytest.raises(ValueError, match=r"step 4\.77e-07 .* rms 0\.1 "):
        state.centroids(x[:1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"n_total": 0}, "n_total is 0"),
        ({"absmax": -1.0}, "absmax is -1.0"),
        ({"absmax": float("nan")}, "absmax is nan"),
        ({"weight_max": 0.0}, "weight_max is 0.0"),
        ({"k": 0}, "k is 0"),
        ({"dim": 0}, "dim is 0"),
        ({"metric": "l1"}, "metric='l1'"),
    ],
)
def test_an_argument_out_of_range_is_named(change, message):
    with pytest.raises(ValueError, match=message):
        KMeansState(**{"n_total": 3, "absmax": 1.0, "k": 1, "dim": 1} | change)


def test_rows_that_do_not_fit_the_state_are_refused():
    x = np.ones((3, 2), np.float32)
    state = KMeansState(4, 1.0, k=1, dim=2, metric="euclidean")
    with pytest.raises(ValueError, match="x has 1 columns, but the state was made for 2"):
        state.blocks(x[:, :1])
    with pytest.raises(ValueError, match=r"x reaches 3.0, but .* absmax=1.0"):
        state.blocks(3 * x)
    with pytest.raises(ValueError, match=r"a weight is 2.0, above weight_max=1.0"):
        state.blocks(x, weights=np.full(3, 2.0))
    with pytest.raises(ValueError, match=r"centroids has shape \(2, 2\), but .* \(1, 2\)"):
        state.accumulate(state.blocks(x), x[:2])
    with pytest.raises(TypeError, match="previous has dtype float64"):
        state.centroids(np.ones((1, 2)))
    with pytest.raises(ValueError, match="these rows have no labels yet"):
        state.add_inertia(state.blocks(x), x[:1])
    state.accumulate(state.blocks(x), x[:1])
    with pytest.raises(ValueError, match="more rows were accumulated than n_total=4"):
        state.accumulate(state.blocks(x), x[:1])


def test_states_of_different_steps_are_not_merged():
    with pytest.raises(ValueError, match="cannot be merged"):
        KMeansState(4, 1.0, k=1, dim=2).merge(KMeansState(5, 1.0, k=1, dim=2))


def test_labels_of_another_clustering_are_refused():
    x = np.ones((3, 2), np.float32)
    state = KMeansState(3, 1.0, k=2, dim=2)
    rows = state.blocks(x)
    rows[0].labels = np.array([0, 7, 0])
    with pytest.raises(ValueError, match="no such label"):
        state.accumulate(rows, x[:2])


def test_the_example_with_two_ranks_runs():
    names = {"np": np, "kmeans": kmeans}
    assert doctest.testmod(kmeans_state, extraglobs=names).failed == 0
