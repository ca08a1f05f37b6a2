"""near_duplicates lists exactly the pairs whose exact score reaches the threshold."""

from __future__ import annotations

from itertools import combinations

import kernel_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmi_hpc.kernels import near_duplicates

ELEMENTS = st.sampled_from([0.0, -0.0, 1.0, -1.0, 0.5, 2.0])


def joined(blocks):
    return [np.concatenate(parts) for parts in zip(*blocks, strict=True)]


def assert_same(blocks, expected):
    i, j, score = joined(blocks)
    np.testing.assert_array_equal(i, expected[0])
    np.testing.assert_array_equal(j, expected[1])
    np.testing.assert_array_equal(score.view("i4"), expected[2].view("i4"))


def noisy_copies(rows=160, dim=24, seed=0):
    rng = np.random.default_rng(seed)
    base = rng.standard_normal((rows // 3, dim))
    return (
        base[rng.integers(len(base), size=rows)] + 0.1 * rng.standard_normal((rows, dim))
    ).astype(np.float32)


@settings(max_examples=150, deadline=None)
@given(st.data(), st.sampled_from([-1.0, 0.0, 0.5, 1 / np.sqrt(2), 0.999, 1.0]))
def test_a_self_join_lists_each_pair_once(data, threshold):
    shape = (data.draw(st.integers(1, 12)), data.draw(st.integers(1, 5)))
    x = data.draw(hnp.arrays(np.float32, shape, elements=ELEMENTS))
    block_rows = data.draw(st.integers(1, 13))
    blocks = near_duplicates(x, threshold, block_rows=block_rows, threads=1)
    assert_same(blocks, reference.near_duplicates(x, threshold))


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("block_rows", [None, 1, 47, 48, 49, 1000])
def test_blocks_and_threads_do_not_show(block_rows, threads):
    x = noisy_copies()
    blocks = near_duplicates(x, 0.95, block_rows=block_rows, threads=threads)
    expected = reference.near_duplicates(x, 0.95)
    assert len(expected[0]) > 100
    assert_same(blocks, expected)


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("block_rows", [None, 50])
def test_rows_are_joined_with_another_set(block_rows, threads):
    x, against = noisy_copies(seed=0), noisy_copies(rows=90, seed=0)
    blocks = near_duplicates(x, 0.9, against=against, block_rows=block_rows, threads=threads)
    expected = reference.near_duplicates(x, 0.9, against)
    assert len(expected[0]) > 10
    assert_same(blocks, expected)


def test_the_threshold_is_compared_as_float32():
    x = np.array([[1, 0], [1, 1]], np.float32)
    exact = float(np.float32(1 / np.sqrt(2)))
    assert len(joined(near_duplicates(x, exact + 1e-12))[0]) == 1
    assert len(joined(near_duplicates(x, float(np.nextafter(np.float32(exact), 1))))[0]) == 0


def test_blocks_come_one_after_the_other_and_may_be_empty():
    blocks = list(near_duplicates(np.eye(10, dtype=np.float32), 0.5, block_rows=4))
    assert [len(block.i) for block in blocks] == [0, 0, 0]
    assert (blocks[0].i.dtype, blocks[0].j.dtype, blocks[0].score.dtype) == ("i8", "i8", "f4")


def test_no_rows_give_no_blocks_and_an_empty_other_set_no_pairs():
    empty = np.empty((0, 3), np.float32)
    assert list(near_duplicates(empty, 0.5)) == []
    assert len(joined(near_duplicates(np.eye(3, dtype="f4"), 0.5, against=empty))[0]) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"threshold": float("nan")}, "threshold is nan, but must be a finite number"),
        ({"block_rows": 0}, "block_rows is 0, but must be at least 1"),
        ({"against": np.eye(4, dtype="f4")}, r"x has shape \(3, 3\), but against has \(4, 4\)"),
        ({"x": np.full((3, 3), np.nan, "f4")}, "row 0 of x is not finite"),
        ({"against": np.full((3, 3), np.nan, "f4")}, "row 0 of against is not finite"),
    ],
)
def test_a_wrong_argument_is_refused_before_the_first_block(change, message):
    arguments = {"x": np.eye(3, dtype=np.float32), "threshold": 0.5} | change
    with pytest.raises(ValueError, match=message):
        near_duplicates(**arguments)


def test_a_bad_row_of_a_join_is_named_when_its_block_is_reached():
    x = np.ones((9, 3), np.float32)
    x[7, 0] = np.inf
    blocks = near_duplicates(x, 0.5, against=np.eye(3, dtype=np.float32), block_rows=3)
    assert len(next(blocks).i) == 9
    next(blocks)
    with pytest.raises(ValueError, match="row 7 of x is not finite"):
        next(blocks)


@pytest.mark.parametrize("threshold", [-1.5, -3.4028234e38, -1e39, -1e300])
def test_a_threshold_below_every_score_lists_each_pair_once(threshold):
    x = noisy_copies(rows=5, dim=8)
    i, j, _ = joined(near_duplicates(x, threshold))
    assert list(zip(i.tolist(), j.tolist(), strict=True)) == list(combinations(range(5), 2))


def test_rows_too_long_for_the_filter_are_compared_exactly():
    x = np.zeros((3, 2**22), np.float32)
    x[0, :3], x[1, 5], x[2, 1] = 1, 1, 2
    assert_same(near_duplicates(x, 0.0, threads=1), reference.near_duplicates(x, 0.0))


@pytest.mark.parametrize("threshold", [None, "high"])
def test_a_threshold_must_be_a_number(threshold):
    with pytest.raises(TypeError, match=r"threshold must be a number such as 0\.95, not"):
        near_duplicates(noisy_copies(), threshold)
