"""ingest: read images and their texts from a source into HDF5 shards, encoded bytes untouched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import xxhash
from pydantic import Field

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data import images
from mmi_hpc.data.image_shard import ImageEntry, ImageShardFormat
from mmi_hpc.data.records import Failure, ImageRecord
from mmi_hpc.data.sources import AnySource, Item
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Shard, Uses


class IngestSettings(StageSettings):
    """Where images come from and which are accepted.

    Attributes:
        source: The source, by `kind`.
        max_pixels: Larger images are refused before they are decoded.
    """

    section: ClassVar[str] = "ingest"
    source: AnySource
    max_pixels: int = Field(default=images.MAX_PIXELS, ge=1)


class Ingest(MapStage[ImageEntry]):
    """Every image is decoded once, so that later stages can rely on it."""

    name = "ingest"
    version = 1
    settings = (Uses(IngestSettings),)
    by_content = True
    output = ImageShardFormat()

    def identity(self, context: Context) -> dict[str, Any]:
        """What the source holds."""
        return {"inventory": context.settings(IngestSettings).source.inventory()}

    def plan(self, context: Context) -> list[Shard]:
        """The source's slices."""
        return list(context.settings(IngestSettings).source.slices(context.shard_rows))

    def map(self, shard: int, context: Context) -> Iterator[ImageEntry | Failure]:
        """Read one slice."""
        settings = context.settings(IngestSettings)
        part = context.own_shards()[shard]
        for item in settings.source.read(part):
            if isinstance(item, Failure):
                yield item
            else:
                yield _entry(item, settings.max_pixels)


def _entry(item: Item, max_pixels: int) -> ImageEntry | Failure:
    format_name, width, height, digest = "", 0, 0, ""
    if item.data is not None:
        try:
            format_name, width, height = images.inspect(item.data, max_pixels=max_pixels)
        except images.BadImageError as error:
            return Failure(item.id, str(error))
        digest = xxhash.xxh3_128_hexdigest(item.data)
    record = ImageRecord(
        id=item.id,
        name=item.name,
        format=format_name,
        width=width,
        height=height,
        digest=digest,
        alt_text=item.alt_text,
        description=item.description,
        boxes=item.boxes,
    )
    return ImageEntry(record, item.data or b"")
