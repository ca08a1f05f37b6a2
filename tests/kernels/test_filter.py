"""The certified filter: fuzzed against the definition, and what its statistics promise.

A Bank is always searched through the filter (unless k is more than half of it), however few the
queries; arrays of a few rows, as in test_search.py, are scored pair by pair.
"""

from __future__ import annotations

import kernel_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmi_hpc.kernels import Bank, cosine_topk, info, near_duplicates

CORNERS = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e-45, -1e-40, 1e-20, 0.1, 257.0]


def gaussian(rows, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, dim), dtype=np.float32)


def assert_same_bits(result, expected):
    np.testing.assert_array_equal(result.indices, expected[1])
    np.testing.assert_array_equal(result.scores.view(np.int32), expected[0].view(np.int32))


@st.composite
def originals(draw, dim):
    """A few rows: of random numbers, or of the corners of float32."""
    rows = draw(st.integers(1, 12))
    if draw(st.booleans()):
        return gaussian(rows, dim, draw(st.integers(0, 2**32)))
    elements = st.sampled_from([float(np.float32(v)) for v in CORNERS])
    return draw(hnp.arrays(np.float32, (rows, dim), elements=elements))


@st.composite
def matrices(draw, rows, dim):
    """Many rows made of a few: exact copies, copies one step of float32 away, and scaled ones."""
    few = draw(originals(dim))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    x = few[rng.integers(len(few), size=rows)]
    step = draw(st.sampled_from([0.0, 0.05, 1.0]))
    nudged = rng.random(x.shape) < step
    x = np.where(nudged, np.nextafter(x, rng.choice([-9, 9], x.shape).astype(np.float32)), x)
    noise = draw(st.sampled_from([0.0, 1e-3, 1.0]))
    x = x + np.float32(noise) * rng.standard_normal(x.shape, dtype=np.float32)
    widest = draw(st.sampled_from([0, 3, 15]))
    x = x * (10.0 ** rng.integers(-widest, widest + 1, (rows, 1))).astype(np.float32)
    return draw(st.sampled_from([np.float32, np.float16]).map(lambda t: as_finite(x, t)))


def as_finite(x, dtype):
    most = np.finfo(dtype).max
    return np.clip(x, -most, most).astype(dtype)


@st.composite
def searches(draw):
    dim = draw(st.integers(1, 40))
    queries = draw(matrices(draw(st.integers(1, 60)), dim))
    bank = draw(matrices(draw(st.integers(2, 800)), dim))
    k = draw(st.integers(1, min(len(bank) // 2, draw(st.sampled_from([1, 5, 400])))))
    return queries, bank, k


@settings(max_examples=150, deadline=None)
@given(searches(), st.booleans(), st.sampled_from([1, 3]))
def test_a_bank_is_searched_by_the_definition(search, normalize, threads):
    queries, bank, k = search
    packed = Bank(bank, normalize=normalize, threads=threads)
    result = cosine_topk(queries, packed, k, normalize=normalize, threads=threads)
    assert result.stats.seconds  # through the filter
    expected = reference.topk(queries.astype("f4"), bank.astype("f4"), k, normalize)
    assert_same_bits(result, expected)


@st.composite
def joins(draw):
    dim = draw(st.integers(1, 40))
    x = draw(matrices(draw(st.integers(1, 150)), dim))
    against = draw(st.none() | matrices(draw(st.integers(1, 150)), dim))
    return x, against, draw(st.none() | st.integers(1, 160))


@settings(max_examples=150, deadline=None)
@given(joins(), st.data(), st.sampled_from([1, 3]))
def test_pairs_are_listed_by_the_definition_also_beside_the_threshold(join, data, threads):
    x, against, block_rows = join
    wide = x.astype("f4"), None if against is None else against.astype("f4")
    scores = reference.scores(wide[0], wide[0] if against is None else wide[1])
    # A score that occurs, or the next float32 above it.
    threshold = scores.flat[data.draw(st.integers(0, scores.size - 1))]
    if data.draw(st.booleans()):
        threshold = np.nextafter(threshold, np.float32(2))
    blocks = list(
        near_duplicates(
            x, float(threshold), against=against, block_rows=block_rows, threads=threads
        )
    )
    expected = reference.near_duplicates(wide[0], threshold, wide[1])
    for found, wanted in zip(zip(*blocks, strict=True), expected, strict=True):
        assert np.concatenate(found).tobytes() == wanted.tobytes()


def test_statistics_count_what_the_filter_kept():
    queries, bank = gaussian(100, 48), gaussian(3000, 48, seed=1)
    stats = cosine_topk(queries, Bank(bank), 10).stats
    assert stats.isa == info()["isa"]
    assert 100 * 10 <= stats.survivors < 100 * 3000 / 10
    assert stats.rescored == stats.survivors
    assert stats.overflow_rows == 0
    assert set(stats.seconds) == {"pack", "prime", "scan", "rescore"}


def test_thousands_of_equal_rows_overflow_and_are_still_listed_in_order():
    bank = np.concatenate([gaussian(50, 24), np.repeat(gaussian(1, 24, seed=1), 5000, axis=0)])
    queries = np.concatenate([gaussian(20, 24, seed=2), bank[60:61]])
    result = cosine_topk(queries, Bank(bank), 10)
    assert result.stats.overflow_rows > 0
    assert result.indices[-1].tolist() == list(range(50, 60))
    assert_same_bits(result, reference.topk(queries, bank, 10))


def test_precision_scan_finds_nearly_the_same_rows_without_exact_scores():
    queries, bank = gaussian(200, 64), gaussian(4000, 64, seed=1)
    exact = cosine_topk(queries, bank, 10)
    scan = cosine_topk(queries, bank, 10, precision="scan")
    assert scan.stats.isa == info()["isa"]
    assert scan.stats.rescored == 0
    common = [len(np.intersect1d(a, b)) for a, b in zip(exact.indices, scan.indices, strict=True)]
    assert np.mean(common) > 9.5
    assert np.abs(scan.scores - exact.scores).max() < 0.01
    assert (np.diff(scan.scores, axis=1) <= 0).all()


@pytest.mark.parametrize("k", [1, 10])
def test_precision_scan_may_be_asked_of_a_bank_and_of_inner_products(k):
    queries, bank = gaussian(200, 64), 50 * gaussian(4000, 64, seed=1)
    exact = cosine_topk(queries, bank, k, normalize=False)
    packed = Bank(bank, normalize=False)
    scan = cosine_topk(queries, packed, k, normalize=False, precision="scan")
    assert (scan.indices == exact.indices).mean() > 0.8
    assert scan.stats.rescored == 0
    np.testing.assert_allclose(scan.scores, exact.scores, rtol=0.02)
