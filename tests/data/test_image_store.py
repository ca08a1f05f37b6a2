"""The bytes of any image by shard and id."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmi_hpc.data.image_shard import ImageEntry, ImageShardFormat
from mmi_hpc.data.image_store import ImageStore
from mmi_hpc.data.records import ImageRecord


def test_images_are_found_by_shard_and_id(tmp_path: Path) -> None:
    paths = [tmp_path / f"{shard}.h5" for shard in range(3)]
    for shard, path in enumerate(paths):
        ids = [f"{name}-{shard}" for name in ("a", "ü", "../c")]
        rows = [ImageEntry(ImageRecord(i, name=i), i.encode() * 3) for i in ids]
        ImageShardFormat().write(path, [*rows, ImageEntry(ImageRecord("same"), bytes([shard]))])
    store = ImageStore(paths)
    for shard in (2, 0, 1, 1, 2):
        for name in ("../c", "a", "ü"):
            key = f"{name}-{shard}"
            assert store.data(shard, key) == key.encode() * 3
            assert store.record(shard, key).name == key
        assert store.data(shard, "same") == bytes([shard])


def test_an_unknown_id_is_named(tmp_path: Path) -> None:
    ImageShardFormat().write(tmp_path / "0.h5", [ImageEntry(ImageRecord("a"), b"")])
    store = ImageStore([tmp_path / "0.h5"])
    assert store.data(0, "a") == b""
    with pytest.raises(KeyError, match=r"0\.h5 holds no image 'b'"):
        store.data(0, "b")
