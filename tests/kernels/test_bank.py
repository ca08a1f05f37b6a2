"""A Bank is made of any array, used by many calls, and may be cut where it is too large."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import kernel_reference as reference
import numpy as np
import pytest

from mmi_hpc.kernels import Bank, cosine_topk, near_duplicates

RNG = np.random.default_rng(0)
QUERIES = RNG.standard_normal((40, 20), dtype=np.float32)
ROWS = RNG.standard_normal((700, 20), dtype=np.float32)


def assert_same_bits(result, expected):
    np.testing.assert_array_equal(result.indices, expected[1])
    np.testing.assert_array_equal(result.scores.view(np.int32), expected[0].view(np.int32))


def bfloat16(array):
    torch = pytest.importorskip("torch")
    return torch.from_numpy(array).to(torch.bfloat16)


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


@pytest.mark.parametrize(
    "form",
    [
        read_only,
        bfloat16,
        np.asfortranarray,
        lambda a: a.astype(np.float16),
        lambda a: a.astype(">f4"),
        lambda a: np.repeat(a, 2, axis=0)[::2],
        lambda a: np.repeat(a, 3, axis=1)[:, ::3],
    ],
)
def test_a_bank_holds_the_rows_of_any_array(form):
    array = form(ROWS)
    wide = array.astype(np.float32) if isinstance(array, np.ndarray) else array.float().numpy()
    bank = Bank(array)
    assert bank.shape == (700, 20)
    assert_same_bits(cosine_topk(QUERIES, bank, 9), reference.topk(QUERIES, wide, 9))


@pytest.mark.parametrize("dtype", [np.float32, np.float16])
def test_a_bank_is_made_of_a_memory_mapped_file(dtype, tmp_path):
    ROWS.astype(dtype).tofile(tmp_path / "rows.bin")
    mapped = np.memmap(tmp_path / "rows.bin", dtype, mode="r", shape=ROWS.shape)
    expected = reference.topk(QUERIES, ROWS.astype(dtype).astype(np.float32), 9)
    assert_same_bits(cosine_topk(QUERIES, Bank(mapped), 9), expected)


@pytest.mark.parametrize("part_rows", [1, 5, 33, 250, 699])
@pytest.mark.parametrize("k", [1, 9, 300])
def test_a_bank_cut_into_parts_gives_the_same_lists(part_rows, k, monkeypatch):
    monkeypatch.setattr("mmi_hpc.kernels.inputs._PART_BYTES", 4 * 20 * part_rows)
    rows = ROWS.copy()
    rows[350:] = rows[:350]  # ties across the cuts
    expected = reference.topk(QUERIES, rows, k)
    bank = Bank(rows)
    assert len(bank.parts) == -(-700 // part_rows)
    assert_same_bits(cosine_topk(QUERIES, bank, k), expected)
    assert_same_bits(cosine_topk(QUERIES, rows, k), expected)


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("block_rows", [None, 30, 64, 220])
def test_a_set_cut_into_parts_is_joined_like_a_whole(dtype, block_rows, monkeypatch):
    for size in ("_PART_BYTES", "_BLOCK_BYTES"):
        monkeypatch.setattr(f"mmi_hpc.kernels.inputs.{size}", 4 * 20 * 50)
    x, against = ROWS[:220].astype(dtype), ROWS[100:330].astype(dtype)
    x[110:] = x[:110]
    for other in (None, against):
        blocks = near_duplicates(x, 0.4, against=other, block_rows=block_rows)
        found = [np.concatenate(parts).tobytes() for parts in zip(*blocks, strict=True)]
        wide = None if other is None else other.astype(np.float32)
        expected = reference.near_duplicates(x.astype(np.float32), 0.4, wide)
        assert found == [array.tobytes() for array in expected]


@pytest.mark.parametrize("normalize", [True, False])
def test_scan_scores_of_parts_can_be_compared(normalize, monkeypatch):
    monkeypatch.setattr("mmi_hpc.kernels.inputs._PART_BYTES", 4 * 20 * 50)
    rows = ROWS * (10.0 ** RNG.integers(-3, 4, (700, 1))).astype(np.float32)
    exact = cosine_topk(QUERIES, rows, 5, normalize=normalize)
    bank = Bank(rows, normalize=normalize)
    scan = cosine_topk(QUERIES, bank, 5, normalize=normalize, precision="scan")
    np.testing.assert_allclose(scan.scores, exact.scores, rtol=0.03)


def test_python_threads_may_share_a_bank():
    bank = Bank(ROWS)
    expected = reference.topk(QUERIES, ROWS, 9)
    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(lambda _: cosine_topk(QUERIES, bank, 9, threads=2), range(24)))
    for result in results:
        assert_same_bits(result, expected)


def test_a_bank_keeps_its_rows_alive():
    bank = Bank(ROWS.copy())
    np.full((4, 700, 20), 7, np.float32)  # what was freed would be overwritten
    assert_same_bits(cosine_topk(QUERIES, bank, 9), reference.topk(QUERIES, ROWS, 9))


def test_the_packed_copy_has_a_size():
    assert 700 * 20 * 2 <= Bank(ROWS).nbytes <= 2 * 704 * 32 * 4


@pytest.mark.parametrize("normalize", [True, False])
def test_a_bank_of_the_other_kind_is_refused(normalize):
    with pytest.raises(ValueError, match=f"packed with normalize={normalize}, but the search asks"):
        cosine_topk(QUERIES, Bank(ROWS, normalize=normalize), 1, normalize=not normalize)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_the_first_row_that_is_not_finite_is_named(value):
    bad = ROWS.copy()
    bad[[555, 320], 3] = value
    with pytest.raises(ValueError, match="row 320 of bank is not finite"):
        Bank(bad)
    with pytest.raises(ValueError, match="row 320 of queries is not finite"):
        cosine_topk(bad, Bank(ROWS), 3)


def test_a_bank_of_no_rows_has_nothing_to_search():
    with pytest.raises(ValueError, match=r"bank has shape \(0, 20\): there is nothing to search"):
        cosine_topk(QUERIES, Bank(ROWS[:0]), 1)
