"""ImageStore: the encoded bytes of any ingested image, by shard and id."""

from __future__ import annotations

from pathlib import Path

from mmi_hpc.data import hdf5
from mmi_hpc.data.image_shard import read_records
from mmi_hpc.data.records import ImageRecord


class ImageStore:
    """Reads images out of image shards; opens one shard at a time.

    Args:
        shards: Path of every image shard, by shard number.
    """

    def __init__(self, shards: list[Path]) -> None:
        self._shards = shards
        self._open: int | None = None
        self._rows: dict[str, tuple[int, ImageRecord]] = {}

    def record(self, shard: int, record_id: str) -> ImageRecord:
        """The record of an image.

        Raises:
            KeyError: The shard holds no such id.
        """
        return self._row(shard, record_id)[1]

    def data(self, shard: int, record_id: str) -> bytes:
        """The encoded bytes of an image; b"" for a record without pixels."""
        index, _ = self._row(shard, record_id)
        with hdf5.open_read(self._shards[shard]) as file:
            start, end = file["bytes_offsets"][index : index + 2]
            return bytes(file["bytes"][start:end].tobytes())

    def _row(self, shard: int, record_id: str) -> tuple[int, ImageRecord]:
        if self._open != shard:
            records = read_records(self._shards[shard])
            self._rows = {record.id: (index, record) for index, record in enumerate(records)}
            self._open = shard
        try:
            return self._rows[record_id]
        except KeyError:
            raise KeyError(f"{self._shards[shard]} holds no image {record_id!r}") from None
