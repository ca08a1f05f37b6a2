"""embed: a vector per image, of its pixels or of its description."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data import images
from mmi_hpc.data.records import Failure
from mmi_hpc.data.vectors import Vector, VectorFormat
from mmi_hpc.embed.encoder import Encoder, load
from mmi_hpc.embed.settings import EncoderSettings
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.errors import ConfigError
from mmi_hpc.stages.describe import Describe
from mmi_hpc.stages.ingest import Ingest

# Images are decoded and encoded in groups, so that a shard's pixels never lie in memory at once.
_GROUP = 64


class EmbedSettings(StageSettings):
    """What stands for an image when instructions are matched to it.

    Attributes:
        input: `image` needs an encoder of images and texts (open_clip); `description` embeds the
            image's description, so matching runs from description to instruction.
        encoder: The encoder of images and of instructions.
    """

    section: ClassVar[str] = "embed"
    input: Literal["image", "description"] = "image"
    encoder: EncoderSettings = EncoderSettings(
        kind="open_clip", model="ViT-L-14-336-quickgelu", pretrained="openai"
    )


class Embed(MapStage[Vector]):
    """One vector per record."""

    name = "embed"
    version = 1
    settings = (Uses(EmbedSettings),)
    reads = ("ingest", "describe")
    output = VectorFormat()

    def inputs(self, context: Context) -> tuple[str, ...]:
        """Pixels do not depend on descriptions."""
        by_pixels = context.settings(EmbedSettings).input == "image"
        return ("ingest",) if by_pixels else ("describe",)

    def identity(self, context: Context) -> dict[str, Any]:
        """The weights."""
        return {"encoder": context.settings(EmbedSettings).encoder.identity()}

    def check(self, context: Context) -> None:
        """Encoder and input must fit."""
        settings = context.settings(EmbedSettings)
        settings.encoder.check("embed.encoder")
        if settings.input == "image" and settings.encoder.kind != "open_clip":
            raise ConfigError(
                "embed.input=image needs embed.encoder.kind=open_clip; a sentence encoder can "
                "only embed descriptions: set embed.input=description."
            )

    def map(self, shard: int, context: Context) -> Iterator[Vector | Failure]:
        """Embed one shard."""
        settings = context.settings(EmbedSettings)
        encoder = load(settings.encoder)
        for key, value in encoder.environment.items():
            context.note(key, value)
        if settings.input == "description":
            return _descriptions(shard, encoder, context)
        return _images(shard, encoder, context)


def _descriptions(shard: int, encoder: Encoder, context: Context) -> Iterator[Vector]:
    rows = list(context.rows(Describe, shard))
    vectors = encoder.embed_texts([row.text for row in rows])
    for row, values in zip(rows, vectors, strict=True):
        yield Vector(row.id, values)


def _images(shard: int, encoder: Encoder, context: Context) -> Iterator[Vector | Failure]:
    group: list[tuple[str, Any]] = []
    for entry in context.rows(Ingest, shard):
        try:
            # ingest has let this many pixels in.
            limit = entry.record.width * entry.record.height
            group.append((entry.record.id, images.decode_rgb(entry.data, max_pixels=limit)))
        except images.BadImageError as error:
            yield Failure(entry.record.id, str(error))
        if len(group) == _GROUP:
            yield from _embed_group(group, encoder)
            group = []
    yield from _embed_group(group, encoder)


def _embed_group(group: list[tuple[str, Any]], encoder: Encoder) -> Iterator[Vector]:
    vectors = encoder.embed_images(image for _, image in group)
    for (record_id, _), values in zip(group, vectors, strict=True):
        yield Vector(record_id, values)
