"""cosine_topk equals its definition, bit for bit, on every input it accepts."""

from __future__ import annotations

import kernel_reference as reference
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from mmi_hpc.kernels import Bank, cosine_topk

# Few distinct values make ties, duplicates and zero rows; the rest are the corners of float32.
VALUES = [0.0, -0.0, 1.0, -1.0, 0.5, 3.0, 1e-45, -1e-40, 3e38, -3e38, 1e-20, 0.1]


def matrices(rows, dim):
    elements = st.sampled_from([float(np.float32(v)) for v in VALUES])
    return hnp.arrays(np.float32, (rows, dim), elements=elements)


@st.composite
def searches(draw):
    dim = draw(st.integers(1, 19))
    queries = draw(matrices(draw(st.integers(1, 7)), dim))
    bank = draw(matrices(draw(st.integers(1, 11)), dim))
    return queries, bank, draw(st.integers(1, len(bank)))


def assert_same_bits(result, expected):
    scores, indices = expected
    np.testing.assert_array_equal(result.indices, indices)
    np.testing.assert_array_equal(result.scores.view(np.int32), scores.view(np.int32))


def gaussian(rows, dim, seed=0):
    return np.random.default_rng(seed).standard_normal((rows, dim), dtype=np.float32)


@settings(max_examples=300, deadline=None)
@given(searches(), st.booleans())
def test_ties_zeros_denormals_and_huge_values_are_ranked_by_the_definition(search, normalize):
    queries, bank, k = search
    result = cosine_topk(queries, bank, k, normalize=normalize, threads=1)
    assert_same_bits(result, reference.topk(queries, bank, k, normalize))


@pytest.mark.parametrize("threads", [1, 2, 8])
@pytest.mark.parametrize("dim", [1, 7, 8, 9, 100, 768])
def test_blocks_and_threads_do_not_show(dim, threads):
    queries, bank = gaussian(101, dim), gaussian(203, dim, seed=1)
    result = cosine_topk(queries, bank, 10, threads=threads)
    assert_same_bits(result, reference.topk(queries, bank, 10))


@pytest.mark.parametrize("threads", [1, 8])
def test_a_bank_cut_into_parts_gives_the_same_lists(threads):
    queries, bank = gaussian(3, 5), np.repeat(gaussian(4001, 5, seed=1), 5, axis=0)
    result = cosine_topk(queries, bank, 9000, threads=threads)
    assert_same_bits(result, reference.topk(queries, bank, 9000))


def test_any_split_of_the_queries_gives_the_same_rows():
    queries, bank = gaussian(130, 33), gaussian(300, 33, seed=1)
    whole = cosine_topk(queries, bank, 7)
    for cut in (1, 47, 48, 49, 129):
        for part, rows in ((queries[:cut], slice(0, cut)), (queries[cut:], slice(cut, None))):
            result = cosine_topk(part, bank, 7)
            assert_same_bits(result, (whole.scores[rows], whole.indices[rows]))


def test_a_zero_vector_scores_zero_against_everything_in_index_order():
    result = cosine_topk(np.zeros((1, 4), np.float32), gaussian(6, 4), 6)
    assert result.indices.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert result.scores.tolist() == [[0.0] * 6]


def test_negative_zero_is_stored_as_positive_zero():
    query, bank = np.array([[1, 0]], np.float32), np.array([[-0.0, -1]], np.float32)
    for normalize in (True, False):
        assert not np.signbit(cosine_topk(query, bank, 1, normalize=normalize).scores).any()


def test_an_inner_product_beyond_float32_is_infinite_and_ranks_first():
    query = np.array([[3e38, 3e38]], np.float32)
    bank = np.array([[-1e30, -1], [0.1, 0.1], [1e30, 1]], np.float32)
    result = cosine_topk(query, bank, 3, normalize=False)
    assert result.indices.tolist() == [[2, 1, 0]]
    assert result.scores[0, 0] == np.inf
    assert result.scores[0, 2] == -np.inf


def test_subnormal_values_count_even_where_the_process_flushes_them():
    torch = pytest.importorskip("torch")
    tiny = np.array([[1e-45, 0], [0, 1e-45]], np.float32)
    expected = cosine_topk(tiny, tiny, 1)
    assert expected.scores.tolist() == [[1.0], [1.0]]
    if not torch.set_flush_denormal(True):
        pytest.skip("this processor cannot flush subnormal numbers")
    try:
        assert_same_bits(cosine_topk(tiny, tiny, 1, threads=2), expected[:2])
    finally:
        torch.set_flush_denormal(False)


def test_no_queries_give_empty_lists():
    result = cosine_topk(np.empty((0, 3), np.float32), gaussian(5, 3), 2)
    assert result.scores.shape == result.indices.shape == (0, 2)
    assert (result.scores.dtype, result.indices.dtype) == (np.float32, np.int64)


def test_a_memory_mapped_file_is_searched_in_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr("mmi_hpc.kernels.inputs._BLOCK_BYTES", 4 * 16 * 10)
    values = gaussian(95, 16).astype(np.float16)
    values.tofile(tmp_path / "vectors.bin")
    mapped = np.memmap(tmp_path / "vectors.bin", np.float16, mode="r", shape=(95, 16))
    expected = reference.topk(values.astype(np.float32), values[:9].astype(np.float32), 3)
    assert_same_bits(cosine_topk(mapped, values[:9], 3), expected)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"k": 0}, "k is 0, but must be at least 1"),
        ({"k": 6}, "k is 6, but bank has only 5 rows; lower k"),
        ({"bank": np.empty((0, 3), np.float32)}, r"bank has shape \(0, 3\): there is nothing"),
        ({"bank": np.ones((5, 4), np.float32)}, r"queries has shape \(2, 3\), but bank has \(5, 4"),
        ({"precision": "fast"}, "precision='fast' is not known: use 'exact' or 'scan'"),
        ({"device": "cuda"}, "device='cuda': these kernels run on the CPU"),
        ({"threads": 0}, "threads is 0, but must be at least 1"),
    ],
)
def test_a_value_out_of_range_is_named(change, message):
    arguments = {"queries": gaussian(2, 3), "bank": gaussian(5, 3), "k": 1} | change
    with pytest.raises(ValueError, match=message):
        cosine_topk(**arguments)


@pytest.mark.parametrize("change", [{"k": 1.5}, {"threads": "2"}])
def test_a_count_must_be_an_integer(change):
    with pytest.raises(TypeError, match="must be an integer"):
        cosine_topk(gaussian(2, 3), gaussian(5, 3), **({"k": 1} | change))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_row_that_is_not_finite_is_named(value, monkeypatch):
    monkeypatch.setattr("mmi_hpc.kernels.inputs._BLOCK_BYTES", 4 * 3 * 10)
    good, bad = gaussian(40, 3), gaussian(40, 3)
    bad[[37, 23], 1] = value
    with pytest.raises(ValueError, match="row 23 of queries is not finite"):
        cosine_topk(bad, good, 1, threads=8)
    with pytest.raises(ValueError, match="row 23 of bank is not finite"):
        cosine_topk(good, bad, 1, threads=8)


def test_many_threads_cut_a_bank_into_parts_that_can_fill_a_list():
    # 132 parts of 4097 rows: rounded up to whole panels, the last one would hold next to nothing.
    bank = -np.abs(gaussian(4097 * 132, 2)) - np.float32(0.1)
    queries = np.abs(gaussian(8, 2, seed=1))
    packed = Bank(bank)
    expected = cosine_topk(queries, packed, 100, threads=1)
    assert_same_bits(cosine_topk(queries, packed, 100, threads=132), expected[:2])


def test_rows_that_lie_close_together_overflow_and_stay_exact():
    common = 10 * gaussian(1, 64, seed=2)
    queries, bank = gaussian(60, 64) + common, gaussian(2000, 64, seed=1) + common
    result = cosine_topk(queries, Bank(bank), 10)
    assert_same_bits(result, reference.topk(queries, bank, 10))
    assert result.stats.survivors + result.stats.overflow_rows > 0


def test_a_memory_view_is_taken_and_normalize_may_be_any_truth_value():
    queries, bank = gaussian(9, 8), gaussian(40, 8, seed=1)
    expected = reference.topk(queries, bank, 3, normalize=False)
    for no in (False, 0, np.bool_(False)):
        result = cosine_topk(memoryview(queries), memoryview(bank), 3, normalize=no)
        assert_same_bits(result, expected)


def test_a_number_of_threads_beyond_any_machine_is_refused():
    with pytest.raises(ValueError, match="threads is 1000000000000, but must be at most 1024"):
        cosine_topk(gaussian(9, 8), gaussian(40, 8), 3, threads=10**12)
