"""HDF5 files that old libraries read, that carry no time, and whose damage is noticed and named."""

from __future__ import annotations

import random
import time
from pathlib import Path

import h5py
import numpy as np
import pytest

from mmi_hpc.data import hdf5
from mmi_hpc.data.image_shard import ImageEntry, ImageShardFormat
from mmi_hpc.data.records import ImageRecord

ROWS = [ImageEntry(ImageRecord(f"image-{n}"), bytes([n]) * 900) for n in range(12)]


def shard(path: Path) -> bytes:
    ImageShardFormat().write(path, ROWS)
    return path.read_bytes()


def test_equal_content_gives_equal_bytes_at_any_time(tmp_path: Path) -> None:
    first = shard(tmp_path / "a.h5")
    time.sleep(1.1)  # HDF5 stamps are in seconds
    assert shard(tmp_path / "b.h5") == first


def test_files_are_of_the_oldest_kind_that_holds_them(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    data = shard(path)
    # Version 0 of the superblock is what HDF5 1.0 to 1.8 wrote.
    assert data[:9] == b"\x89HDF\r\n\x1a\n\x00"
    with h5py.File(path) as file:
        for dataset in file.values():
            assert dataset.dtype in (np.uint8, np.int64)
            assert dataset.compression is None


@pytest.mark.parametrize(
    "texts", [[], [b""], [b"", b"\xc3\xbc", b"", b"\0end"], [b"x" * 3_000_000]]
)
def test_packed_texts_come_back(tmp_path: Path, texts: list[bytes]) -> None:
    path = tmp_path / "a.h5"
    with hdf5.create(path) as file:
        hdf5.write_text(file, "t", texts)
        blobs = hdf5.BlobWriter(file, "b")
        for text in texts:
            blobs.append(text)
        blobs.close()
    with hdf5.open_read(path) as file:
        assert hdf5.read_text(file, "t") == texts
        assert hdf5.read_text(file, "b") == texts


@pytest.mark.parametrize("shape", [(0, 0), (0, 8), (1, 1), (5, 3), (700_000, 2)])
def test_arrays_come_back(tmp_path: Path, shape: tuple[int, int]) -> None:
    array = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
    with hdf5.create(tmp_path / "a.h5") as file:
        hdf5.write_array(file, "x", array)
    with hdf5.open_read(tmp_path / "a.h5") as file:
        found = file["x"][:]
    assert found.shape == shape
    assert np.array_equal(found, array)


@pytest.mark.parametrize("content", [None, b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n"])
def test_a_missing_or_foreign_file_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "shard-7.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=r"shard-7\.h5 is no readable HDF5 file"):
        list(ImageShardFormat().read(path))


def test_a_truncated_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shard-7.h5"
    data = shard(path)
    for length in (10, 100, 2000, len(data) // 2, len(data) - 1):
        path.write_bytes(data[:length])
        with pytest.raises(ValueError, match=r"shard-7\.h5 is no readable HDF5 file"):
            list(ImageShardFormat().read(path))


def test_damage_that_the_library_meets_is_named(tmp_path: Path) -> None:
    path = tmp_path / "shard-7.h5"
    data = shard(path)
    generator = random.Random(1)
    named = []
    for _ in range(150):
        start = generator.randrange(8000)
        path.write_bytes(data[:start] + bytes(48) + data[start + 48 :])
        try:
            ImageShardFormat().measure(path)
        except ValueError as error:
            named.append(str(error))
    assert len(named) > 20
    assert all("shard-7.h5" in message for message in named)


def test_a_flipped_bit_in_the_pixels_changes_the_identity(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    data = bytearray(shard(path))
    whole = ImageShardFormat().measure(path)
    data[data.index(bytes([7]) * 900) + 450] ^= 1
    path.write_bytes(data)
    assert ImageShardFormat().measure(path) != whole


def test_an_error_of_the_writer_leaves_no_file(tmp_path: Path) -> None:
    def rows() -> object:
        yield ROWS[0]
        raise RuntimeError("the source broke")

    with pytest.raises(RuntimeError, match="the source broke"):
        ImageShardFormat().write(tmp_path / "a.h5", rows())  # type: ignore[arg-type]
    assert not (tmp_path / "a.h5").exists()
