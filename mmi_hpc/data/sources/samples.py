"""The sample photos with their hand-written descriptions."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import xxhash

from mmi_hpc.config.settings import Settings
from mmi_hpc.data import samples
from mmi_hpc.data.records import Failure
from mmi_hpc.data.sources.base import Item, Slice, cut
from mmi_hpc.files import dump_json


class SamplesSource(Settings):
    """About twenty photos that come inside scikit-image and scikit-learn."""

    kind: Literal["samples"] = "samples"

    def inventory(self) -> str:
        """Digest of all texts and pictures."""
        hasher = xxhash.xxh3_128()
        for photo in samples.photos():
            hasher.update(dump_json([photo.id, photo.description, photo.alt_text, photo.boxes]))
            hasher.update(samples.photo_bytes(photo))
        return hasher.hexdigest()

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the list of ids."""
        for ids in cut([photo.id for photo in samples.photos()], rows):
            yield {"rows": len(ids), "ids": list(ids)}

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Read the photos of one slice out of their packages."""
        photos = {photo.id: photo for photo in samples.photos()}
        for photo_id in part["ids"]:
            photo = photos[photo_id]
            yield Item(
                photo.id,
                photo.file_name,
                samples.photo_bytes(photo),
                alt_text=photo.alt_text,
                description=photo.description,
                boxes=photo.boxes,
            )
