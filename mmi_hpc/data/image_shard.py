"""HDF5 image shards: encoded bytes untouched, beside one JSON record per image."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import xxhash

from mmi_hpc.data import hdf5
from mmi_hpc.data.formats import Format
from mmi_hpc.data.records import ImageRecord, decode, encode


@dataclass(frozen=True)
class ImageEntry:
    """An image record with its encoded bytes; b"" for a record without pixels."""

    record: ImageRecord
    data: bytes


class ImageShardFormat(Format[ImageEntry]):
    """Datasets `bytes`, `bytes_offsets`, `records`, `records_offsets` (UTF-8 JSON)."""

    suffix = ".h5"

    def content(self, row: ImageEntry) -> bytes:
        """The record and a digest of the bytes that are really there, whatever the record says."""
        return encode(row.record) + xxhash.xxh3_128_digest(row.data)

    def save(self, path: Path, rows: Iterable[ImageEntry]) -> None:
        """Write one shard."""
        records = []
        with hdf5.create(path) as file:
            blobs = hdf5.BlobWriter(file, "bytes")
            for row in rows:
                records.append(encode(row.record))
                blobs.append(row.data)
            blobs.close()
            hdf5.write_text(file, "records", records)

    def read(self, path: Path) -> Iterator[ImageEntry]:
        """Yield records with their bytes, one image in memory at a time."""
        with hdf5.open_read(path) as file:
            offsets = file["bytes_offsets"][:]
            blob = file["bytes"]
            for index, line in enumerate(hdf5.read_text(file, "records")):
                data = blob[offsets[index] : offsets[index + 1]].tobytes()
                yield ImageEntry(decode(ImageRecord, line, f"{path}[{index}]"), data)


def read_records(path: Path) -> list[ImageRecord]:
    """The records of a shard without touching the pixels."""
    with hdf5.open_read(path) as file:
        lines = hdf5.read_text(file, "records")
    return [decode(ImageRecord, line, f"{path}[{i}]") for i, line in enumerate(lines)]
