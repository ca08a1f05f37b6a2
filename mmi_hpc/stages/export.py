"""export: the dataset, with what the screens flagged left out as the policy says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from pydantic import Field, field_validator

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.exports.llava import ExportRow, LlavaFormat, image_path
from mmi_hpc.data.formats import Format
from mmi_hpc.data.image_shard import ImageEntry, read_records
from mmi_hpc.data.records import Answer, Failure, Match, Screening
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import ReduceStage, Uses
from mmi_hpc.errors import ConfigError
from mmi_hpc.llm.prompts import clean_text
from mmi_hpc.screening import MEANINGS
from mmi_hpc.stages.answer import AnswerPairs
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.describe import Describe
from mmi_hpc.stages.ingest import Ingest, IngestSettings
from mmi_hpc.stages.match import MatchInstructions
from mmi_hpc.stages.screen import Screen


class ExportSettings(StageSettings):
    """What the dataset holds.

    Attributes:
        exclude: Flags that keep a record out. Quality flags are kept by default, because dropping
            them was found to hurt as often as to help; unusable answers are not. Answers of images
            that nearly equal an earlier one are kept, unless `duplicate` is added.
        min_cosine: Pairs below this cosine are left out; None keeps all.
        images: `none` names the images as their source does; `extract` copies them beside the
            dataset.
    """

    section: ClassVar[str] = "export"
    exclude: tuple[str, ...] = ("empty", "parse", "refusal", "leakage", "repetition")
    min_cosine: float | None = Field(default=None, ge=-1, le=1)
    images: Literal["none", "extract"] = "none"

    @field_validator("exclude")
    @classmethod
    def _known(cls, flags: tuple[str, ...]) -> tuple[str, ...]:
        if unknown := sorted(set(flags) - set(MEANINGS)):
            raise ValueError(f"no such flag: {', '.join(unknown)}; known: {', '.join(MEANINGS)}")
        return flags


class Export(ReduceStage[ExportRow]):
    """The dataset, in the order of the source."""

    name = "export"
    version = 1
    settings = (Uses(ExportSettings),)
    reads = ("screen", "answer", "match", "bank", "describe", "ingest")
    output: Format[ExportRow] = LlavaFormat()

    def check(self, context: Context) -> None:
        """Images that cannot be named where they are have to be extracted."""
        source = context.settings(IngestSettings).source
        if source.kind == "webdataset" and context.settings(ExportSettings).images == "none":
            raise ConfigError(
                "export.images=none leaves images where they are, but an image inside a tar has "
                "no path that a trainer could open. Set export.images=extract."
            )

    def storage(self, context: Context) -> Format[ExportRow]:
        """The folder's format, with the manifest's facts about this run."""
        return LlavaFormat(_about(context))

    def reduce(self, shards: range, context: Context) -> Iterator[ExportRow | Failure]:
        """Join the shards one by one."""
        bank = {entry.instruction.id: entry.instruction.text for entry in context.rows(Bank, 0)}
        for shard in shards:
            yield from _shard(shard, bank, context)


def _shard(shard: int, bank: dict[str, str], context: Context) -> Iterator[ExportRow | Failure]:
    settings = context.settings(ExportSettings)
    screenings = {row.id: row for row in context.rows(Screen, shard)}
    matches = {row.id: row for row in context.rows(MatchInstructions, shard)}
    origins = {row.id: row.origin for row in context.rows(Describe, shard)}
    answers: dict[str, list[Answer]] = {}
    for answer in context.rows(AnswerPairs, shard):
        answers.setdefault(answer.image_id, []).append(answer)
    for entry in _images(shard, settings, context):
        for answer in answers.get(entry.record.id, ()):
            screening, match = screenings[answer.id], matches[answer.id]
            if reason := _left_out(screening, match, settings):
                yield Failure(answer.id, reason, by_rule=True)
                continue
            if settings.images == "none" and clean_text(entry.record.name) != entry.record.name:
                reason = "its image name holds characters that no dataset can (export.images)"
                yield Failure(answer.id, reason, by_rule=True)
                continue
            provenance = _provenance(answer, match, screening, origins[answer.image_id])
            yield _row(entry, answer, bank[answer.instruction_id], provenance, settings)


def _images(shard: int, settings: ExportSettings, context: Context) -> Iterator[ImageEntry]:
    if settings.images == "extract":
        return context.rows(Ingest, shard)
    return (ImageEntry(record, b"") for record in read_records(context.path(Ingest, shard)))


def _left_out(screening: Screening, match: Match, settings: ExportSettings) -> str:
    flags = [flag for flag in screening.flags if flag in settings.exclude]
    if flags:
        return f"flagged {', '.join(flags)} (export.exclude)"
    if settings.min_cosine is not None and match.cosine < settings.min_cosine:
        return f"cosine {match.cosine:.3f} is below export.min_cosine"
    return ""


def _row(
    entry: ImageEntry,
    answer: Answer,
    instruction: str,
    provenance: dict[str, Any],
    settings: ExportSettings,
) -> ExportRow:
    extracted = settings.images == "extract" and bool(entry.data)
    record = entry.record
    name = image_path(record.id, record.format) if extracted else record.name
    return ExportRow(
        id=answer.id,
        image=name,
        instruction=clean_text(instruction),
        answer=clean_text(answer.text),
        provenance={**provenance, "image_id": record.id, "image_xxh128": record.digest},
        data=entry.data if extracted else None,
    )


def _provenance(answer: Answer, match: Match, screening: Screening, origin: str) -> dict[str, Any]:
    return {
        "instruction_id": answer.instruction_id,
        "cosine": match.cosine,
        "weight": match.weight,
        "rank": match.rank,
        "description_by": origin,
        "engine": answer.engine,
        "model": answer.model,
        "prompt": answer.prompt,
        "examples": list(answer.examples),
        "finish_reason": answer.finish_reason,
        "flags": list(screening.flags),
        "scores": screening.scores,
    }


def _about(context: Context) -> dict[str, Any]:
    """What the manifest says; nothing of it depends on machines, times or shards."""
    flags = Counter(flag for row in context.all_rows(Screen) for flag in row.flags)
    engines = {row.engine for row in context.all_rows(AnswerPairs)}
    names = [name for name in context.run.stages if name != Export.name]
    return {
        "generator": "mmi_hpc",
        "written_without_a_model": "rules" in engines,
        "fingerprints": {name: context.folder(name).fingerprint for name in names},
        "rows": {name: context.count(name) for name in names},
        "flags": dict(sorted(flags.items())),
        "excluded_flags": sorted(context.settings(ExportSettings).exclude),
    }
