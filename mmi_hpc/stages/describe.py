"""describe: a description in words for every image, given or written by a model."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from typing import Any, ClassVar, Literal

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data import images
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.image_shard import ImageEntry, read_records
from mmi_hpc.data.records import Description, Failure, ImageRecord
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.llm import ask
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages._chat import Question, ask_all, is_usable, problem, prompt_identity
from mmi_hpc.stages.ingest import Ingest

# Media types that vision servers take; other encodings are sent as PNG.
_MEDIA_TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}


class DescribeSettings(StageSettings):
    """Where descriptions come from.

    Attributes:
        by: `given` takes the source's descriptions; `llm` has a (vision) model write them.
        llm: The model; it sees the image, the alt text and the boxes.
    """

    section: ClassVar[str] = "describe"
    by: Literal["given", "llm"] = "given"
    llm: LlmSettings = LlmSettings(max_tokens=400)


class Describe(MapStage[Description]):
    """One description per image."""

    name = "describe"
    version = 1
    settings = (Uses(DescribeSettings),)
    seeded = True
    reads = ("ingest",)
    output = JsonLines(Description)

    def identity(self, context: Context) -> dict[str, Any]:
        """The prompt, when there is one."""
        settings = context.settings(DescribeSettings)
        return prompt_identity("describe", settings.llm) if settings.by == "llm" else {}

    def check(self, context: Context) -> None:
        """Model and key."""
        settings = context.settings(DescribeSettings)
        if settings.by == "llm":
            ask.check(settings.llm, "describe.llm")

    def map(self, shard: int, context: Context) -> Iterator[Description | Failure]:
        """Describe the images of one shard."""
        settings = context.settings(DescribeSettings)
        if settings.by == "given":
            return (_given(record) for record in read_records(context.path(Ingest, shard)))
        return _written(list(context.rows(Ingest, shard)), settings.llm, context)


def _given(record: ImageRecord) -> Description | Failure:
    if record.description:
        return Description(record.id, record.description, "given")
    return Failure(record.id, "the source gives no description (describe.by=llm would write one)")


def _written(
    entries: list[ImageEntry], llm: LlmSettings, context: Context
) -> Iterator[Description | Failure]:
    questions = []
    for entry in entries:
        try:
            questions.append(_question(entry, llm))
        except images.BadImageError as error:
            yield Failure(entry.record.id, str(error))
    replies = ask_all("describe", questions, llm, context, usable=is_usable)
    for question, reply in zip(questions, replies, strict=True):
        if reason := problem(reply):
            yield Failure(question.record_id, f"no description: {reason}")
        else:
            yield Description(question.record_id, reply.text.strip(), llm.engine, reply.model)


def _question(entry: ImageEntry, llm: LlmSettings) -> Question:
    record = entry.record
    boxes = [{"label": box.label, "box": [box.x1, box.y1, box.x2, box.y2]} for box in record.boxes]
    facts = {"alt_text": record.alt_text or record.description, "boxes": boxes}
    if llm.engine == "rules" or not entry.data:
        return Question(record.id, facts)
    media_type = _MEDIA_TYPES.get(record.format)
    if media_type:
        return Question(record.id, facts, entry.data, media_type)
    return Question(record.id, facts, _as_png(entry), "image/png")


def _as_png(entry: ImageEntry) -> bytes:
    buffer = BytesIO()
    # ingest has let this many pixels in.
    limit = entry.record.width * entry.record.height
    images.decode_rgb(entry.data, max_pixels=limit).save(buffer, "PNG")
    return buffer.getvalue()
