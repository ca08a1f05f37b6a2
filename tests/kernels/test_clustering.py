"""kmeans equals its definition, bit for bit, and never depends on the number of threads."""

from __future__ import annotations

from itertools import pairwise

import kernel_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmi_hpc.kernels import cosine_topk, kmeans

METRICS = ["cosine", "euclidean"]
INITS = ["k-means||", "k-means++"]


def blobs(rows=300, dim=6, centres=5, seed=0):
    rng = np.random.default_rng(seed)
    centre = rng.standard_normal((centres, dim)) * 4
    return (centre[rng.integers(centres, size=rows)] + rng.standard_normal((rows, dim))).astype(
        "f4"
    )


def assert_same(result, expected):
    centroids, labels, inertia, n_iter, converged = expected
    np.testing.assert_array_equal(result.labels, labels)
    np.testing.assert_array_equal(result.centroids.view("i4"), centroids.view("i4"))
    assert (result.inertia, result.n_iter, result.converged) == (inertia, n_iter, converged)
    np.testing.assert_array_equal(result.counts, np.bincount(labels, minlength=len(result.counts)))


def fingerprint(result):
    arrays = (result.centroids, result.labels, result.counts)
    rest = (result.inertia, result.n_iter, result.converged)
    return [a.tobytes() for a in arrays], rest


def seeds_of(model, init, seed):
    return model.seeds(seed) if init == "k-means++" else model.scalable_seeds(seed)


@st.composite
def problems(draw):
    rows, dim = draw(st.integers(1, 9)), draw(st.integers(1, 10))
    values = [0.0, -0.0, 1.0, -1.0, 2.0, 0.25, -3.0, float(np.float32(1e-40)), 1e20]
    x = draw(hnp.arrays(np.float32, (rows, dim), elements=st.sampled_from(values)))
    if draw(st.booleans()):
        x = np.minimum(x, 3)
    weights = None
    if draw(st.booleans()):
        weights = draw(hnp.arrays(np.float64, rows, elements=st.sampled_from([0.0, 1.0, 0.3, 7.5])))
        weights[draw(st.integers(0, rows - 1))] = 2.5
    return x, draw(st.integers(1, rows)), weights


@settings(max_examples=200, deadline=None)
@given(problems(), st.sampled_from(METRICS), st.integers(0, 2**64 - 1), st.sampled_from(INITS))
def test_corner_cases_follow_the_definition(problem, metric, seed, init):
    x, k, weights = problem
    model = reference.KMeans(x, k, metric, weights)
    if not model.resolves():
        with pytest.raises(ValueError, match="clip or rescale"):
            kmeans(x, k, metric=metric, weights=weights, seed=seed, init=init)
        return
    result = kmeans(
        x, k, metric=metric, weights=weights, seed=seed, init=init, max_iter=6, threads=1
    )
    assert_same(result, model.fit(seeds_of(model, init, seed), max_iter=6))


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("init", INITS)
def test_a_common_case_follows_the_definition(metric, weighted, init):
    x = blobs()
    weights = np.random.default_rng(1).random(len(x)) if weighted else None
    model = reference.KMeans(x, 7, metric, weights)
    result = kmeans(x, 7, metric=metric, weights=weights, seed=3, init=init)
    assert_same(result, model.fit(seeds_of(model, init, 3), max_iter=25))
    assert result.converged


@pytest.mark.parametrize("metric", METRICS)
def test_threads_do_not_show(metric):
    x = blobs(rows=3000, dim=17)
    runs = [kmeans(x, 30, metric=metric, seed=1, max_iter=8, threads=t) for t in (1, 2, 8)]
    assert fingerprint(runs[0]) == fingerprint(runs[1]) == fingerprint(runs[2])


@pytest.mark.parametrize("metric", METRICS)
def test_rows_with_more_near_centroids_than_a_list_holds_are_labelled_exactly(metric):
    rng = np.random.default_rng(7)
    x = (rng.standard_normal((700, 24)) + 30 * rng.standard_normal(24)).astype(np.float32)
    init = x[:400]
    model = reference.KMeans(x, 400, metric, None, init)
    result = kmeans(x, 400, metric=metric, init=init, max_iter=1)
    assert_same(result, model.fit(init, max_iter=1))


def test_cosine_labels_are_the_first_of_cosine_topk():
    x = np.concatenate([blobs(), np.zeros((3, 6), np.float32), blobs()[:20]])
    for max_iter in (1, 2, 25):
        result = kmeans(x, 9, max_iter=max_iter)
        np.testing.assert_array_equal(
            result.labels, cosine_topk(x, result.centroids, 1).indices[:, 0]
        )


@pytest.mark.parametrize("metric", METRICS)
def test_the_order_of_rows_moves_no_centroid_after_a_given_start(metric):
    x = blobs()
    order = np.random.default_rng(5).permutation(len(x))
    first = kmeans(x, 5, metric=metric, init=x[:5])
    second = kmeans(x[order], 5, metric=metric, init=x[:5])
    assert first.centroids.tobytes() == second.centroids.tobytes()
    assert first.inertia == second.inertia
    np.testing.assert_array_equal(first.labels[order], second.labels)


@pytest.mark.parametrize("metric", METRICS)
def test_equal_weights_are_no_weights_and_powers_of_two_cancel(metric):
    x = blobs()
    plain = kmeans(x, 5, metric=metric)
    for factor in (1.0, 2.0**-900, 2.0**700):
        weighted = kmeans(x, 5, metric=metric, weights=np.full(len(x), factor))
        assert weighted.centroids.tobytes() == plain.centroids.tobytes()
        assert weighted.inertia == plain.inertia * factor


@pytest.mark.parametrize("metric", METRICS)
def test_a_whole_weight_is_a_repeated_row(metric):
    x = blobs(rows=60)
    weights = np.random.default_rng(2).integers(1, 4, len(x))
    weighted = kmeans(x, 4, metric=metric, init=x[:4], weights=weights.astype(np.float32))
    repeated = kmeans(np.repeat(x, weights, axis=0), 4, metric=metric, init=x[:4])
    np.testing.assert_allclose(weighted.centroids, repeated.centroids, rtol=1e-6, atol=1e-7)
    assert weighted.inertia == pytest.approx(repeated.inertia, rel=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_inertia_never_rises(metric):
    x = blobs(rows=400, centres=12)
    falling = [kmeans(x, 12, metric=metric, seed=4, max_iter=m).inertia for m in range(1, 8)]
    assert all(b <= a * (1 + 1e-6) for a, b in pairwise(falling))


def test_an_empty_cluster_takes_the_farthest_row():
    x = np.array([[0, 0], [1, 0], [0, 1], [9, 9]], np.float32)
    far_away = np.array([[0, 0], [500, 500]], np.float32)
    result = kmeans(x, 2, metric="euclidean", init=far_away)
    assert result.labels.tolist() == [0, 0, 0, 1]
    assert result.centroids[1].tolist() == [9, 9]


def test_fewer_distinct_rows_than_clusters_leave_clusters_empty():
    x = np.ones((5, 3), np.float32)
    for metric in METRICS:
        result = kmeans(x, 3, metric=metric)
        assert result.counts.tolist() == [5, 0, 0]
        assert result.converged


def test_only_zero_rows_fall_into_the_first_cluster():
    result = kmeans(np.zeros((4, 3), np.float32), 2)
    assert result.labels.tolist() == [0, 0, 0, 0]
    assert result.inertia == 4.0


@pytest.mark.parametrize("metric", METRICS)
def test_a_given_start_and_a_tolerance_follow_the_definition(metric):
    x = blobs()
    init = x[10:16] * np.float32(3)
    model = reference.KMeans(x, 6, metric, init=init)
    for tol in (0.0, 0.05, 1e9):
        result = kmeans(x, 6, metric=metric, init=init.astype(np.float32), tol=tol)
        assert_same(result, model.fit(init, max_iter=25, tol=tol))
    assert result.n_iter == 1


def test_seeds_differ_and_repeat():
    x = blobs(rows=500, centres=40)
    runs = [kmeans(x, 20, seed=s, max_iter=1).centroids.tobytes() for s in (0, 1, 2**64 - 1, 0)]
    assert len(set(runs)) == 3
    assert runs[0] == runs[3]


def test_the_reference_generator_knows_the_published_answers():
    assert reference.philox4x32_10((0, 0, 0, 0), (0, 0)) == [
        *(0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)
    ]
    ones = 2**32 - 1
    assert reference.philox4x32_10((ones,) * 4, (ones,) * 2) == [
        *(0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)
    ]


def test_weights_that_int64_sums_cannot_resolve_are_refused_with_the_numbers():
    x = np.array([[1e-25, 0], [1, 2], [2, 1]], np.float32)
    with pytest.raises(ValueError, match=r"step 6\.94e-18 .* exceeds 2\^-24 of the rms"):
        kmeans(x, 1, metric="euclidean", weights=np.array([1, 1e-18, 1e-18]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "k is 0, but must be at least 1"),
        ({"k": 9}, "k is 9, but x has only 8 rows; lower k"),
        ({"metric": "l1"}, "metric='l1' is not known"),
        ({"device": "cuda"}, "device='cuda': these kernels run on the CPU"),
        ({"init": "random"}, "init='random' is not known"),
        ({"init": np.ones((3, 4), np.float32)}, "init has 3 rows, but k is 2"),
        ({"init": np.ones((2, 5), np.float32)}, r"x has shape \(8, 4\), but init has \(2, 5\)"),
        ({"init": np.full((2, 4), np.nan, np.float32)}, "row 0 of init is not finite"),
        ({"max_iter": 0}, "max_iter is 0, but must be at least 1"),
        ({"tol": -1.0}, "tol is -1.0, but must be finite"),
        ({"tol": float("nan")}, "tol is nan, but must be finite"),
        ({"seed": -1}, "seed is -1, but must be at least 0"),
        ({"seed": 2**64}, "must be below"),
        ({"weights": np.ones(7)}, r"weights has shape \(7,\), but x has 8 rows"),
        ({"weights": np.zeros(8)}, "all weights are zero"),
        ({"weights": np.array([1, 1, -1.0, 1, 1, 1, 1, 1])}, "weight 2 is -1.0; weights must be"),
        ({"weights": np.array([1, np.inf] * 4)}, "weight 1 is inf; weights must be finite"),
        ({"x": np.full((8, 4), np.inf, np.float32)}, "row 0 of x is not finite"),
        ({"x": np.empty((0, 4), np.float32)}, "k is 2, but x has only 0 rows"),
    ],
)
def test_a_value_out_of_range_is_named(change, message):
    arguments = {"x": blobs(rows=8, dim=4), "k": 2} | change
    with pytest.raises(ValueError, match=message):
        kmeans(**arguments)


def test_whole_numbers_are_no_weights():
    with pytest.raises(TypeError, match="weights has dtype int64, but float32 or float64"):
        kmeans(blobs(rows=8), 2, weights=np.ones(8, np.int64))
