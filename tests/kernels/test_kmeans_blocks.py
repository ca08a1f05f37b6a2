"""Rows come in any layout and from a file, are read in blocks, and give the same bytes."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest
from test_clustering import INITS, METRICS, blobs, fingerprint

from mmi_hpc.kernels import inputs, kmeans, kmeans_blocks
from mmi_hpc.kernels.inputs import as_rows

X = blobs(rows=500, dim=12, centres=9).astype(np.float16).astype(np.float32)


def read_only(x):
    x = x.copy()
    x.flags.writeable = False
    return x


FORMS = {
    "read-only": read_only,
    "fortran": np.asfortranarray,
    "strided": lambda x: np.repeat(x, 2, axis=1)[:, ::2],
    "backwards": lambda x: x[::-1].copy()[::-1],
    "float16": lambda x: x.astype(np.float16),
    "big-endian": lambda x: x.astype(">f4"),
}


@pytest.fixture
def small_blocks(monkeypatch):
    monkeypatch.setattr(inputs, "_BLOCK_BYTES", 37 * 4 * X.shape[1])


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS.keys())
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("init", INITS)
def test_layout_does_not_show(form, metric, init):
    expected = kmeans(X, 15, metric=metric, init=init, max_iter=5)
    result = kmeans(form(X), 15, metric=metric, init=init, max_iter=5)
    assert fingerprint(result) == fingerprint(expected)


@pytest.mark.usefixtures("small_blocks")
@pytest.mark.parametrize("dtype", ["f4", "f2"])
def test_a_memory_mapped_file_is_read_in_blocks(tmp_path, dtype):
    path = tmp_path / "x.npy"
    np.save(path, X.astype(dtype))
    mapped = np.load(path, mmap_mode="r")
    blocks = kmeans_blocks.split(as_rows("x", np.asarray(mapped)), 1)
    assert [block.count for block in blocks] == [37] * 13 + [19]
    assert fingerprint(kmeans(mapped, 15, max_iter=5)) == fingerprint(kmeans(X, 15, max_iter=5))


def test_a_file_takes_the_memory_of_a_few_blocks(tmp_path, monkeypatch):
    monkeypatch.setattr(inputs, "_BLOCK_BYTES", 2**18)
    mapped = np.lib.format.open_memmap(tmp_path / "x.npy", "w+", np.float16, (20_000, 256))
    mapped[:] = np.random.default_rng(0).standard_normal((1, 256))
    mapped[::2] *= -1
    tracemalloc.start()
    result = kmeans(mapped, 2, max_iter=2, threads=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert result.counts.tolist() == [10_000, 10_000]
    assert peak < 4 * 2**20  # the rows are 20 MB in float32


@pytest.mark.usefixtures("small_blocks")
def test_a_resident_array_is_one_block_used_in_place():
    (block,) = kmeans_blocks.split(as_rows("x", X), 1)
    assert np.shares_memory(block.float32(), X)


@pytest.mark.usefixtures("small_blocks")
def test_a_row_that_is_not_finite_is_named_by_its_number_in_x():
    x = np.asfortranarray(X.copy())
    x[400, 3] = np.inf
    with pytest.raises(ValueError, match="row 400 of x is not finite"):
        kmeans(x, 3)


def test_torch_tensors_are_taken():
    torch = pytest.importorskip("torch")
    expected = fingerprint(kmeans(X, 5))
    for dtype in (torch.float32, torch.float16):
        assert fingerprint(kmeans(torch.from_numpy(X).to(dtype), 5)) == expected
    rounded = torch.from_numpy(X).bfloat16()
    assert fingerprint(kmeans(rounded, 5)) == fingerprint(kmeans(rounded.float(), 5))


def test_the_largest_value_may_be_negative_and_subnormal():
    tiny = np.zeros((3, 7), np.float32)
    tiny[2, 6] = -1e-44
    blocks = kmeans_blocks.split(as_rows("x", tiny), 1)
    assert kmeans_blocks.absolute_maximum(blocks, 1) == -float(tiny[2, 6])
    assert kmeans_blocks.absolute_maximum([], 1) == 0.0
