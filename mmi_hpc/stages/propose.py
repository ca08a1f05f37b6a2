"""propose: have a model write new instructions for an image's description, shown seed examples."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field, TypeAdapter

from mmi_hpc.config.settings import LocalPath, StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Description, Failure, RawInstruction
from mmi_hpc.data.samples import SeedInstruction, seed_instructions
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import load_json
from mmi_hpc.llm import ask, prompts
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages._chat import Question, ask_all, prompt_identity, record_seed
from mmi_hpc.stages.describe import Describe

_ITEM = re.compile(r"^\s*(?:\d+\s*[.):]|[-*\u2022])\s*(.+?)\s*$")
_WORDS = range(3, 41)
_SEEDS = TypeAdapter(list[SeedInstruction])


class ProposeSettings(StageSettings):
    """How new instructions are asked for. All numbers are our choice; none was published.

    Attributes:
        seeds: JSON list of {id, task, text}; None takes the forty of ours.
        shots: Seed instructions shown per call, drawn anew for each image.
        per_image: New instructions asked for per call.
        share: Share of the images that are asked about; instructions repeat themselves long
            before a large collection is through.
        llm: The model.
    """

    section: ClassVar[str] = "propose"
    seeds: LocalPath | None = None
    shots: int = Field(default=4, ge=1)
    per_image: int = Field(default=3, ge=1, le=20)
    share: float = Field(default=1.0, gt=0, le=1)
    llm: LlmSettings = LlmSettings(temperature=1.0, max_tokens=400)


class Propose(MapStage[RawInstruction]):
    """A few raw instructions per image."""

    name = "propose"
    version = 1
    settings = (Uses(ProposeSettings),)
    seeded = True
    reads = ("describe",)
    output = JsonLines(RawInstruction)

    def identity(self, context: Context) -> dict[str, Any]:
        """Prompt and seed instructions."""
        settings = context.settings(ProposeSettings)
        seeds = [seed.text for seed in _seeds(settings)]
        return {**prompt_identity("propose", settings.llm), "seeds": seeds}

    def check(self, context: Context) -> None:
        """Seeds, model and key."""
        settings = context.settings(ProposeSettings)
        _seeds(settings)
        ask.check(settings.llm, "propose.llm")

    def map(self, shard: int, context: Context) -> Iterator[RawInstruction | Failure]:
        """Ask for the images of one shard."""
        settings = context.settings(ProposeSettings)
        asked = [row for row in context.rows(Describe, shard) if _is_asked(row, context)]
        shots = [_draw(row, context) for row in asked]
        questions = [
            Question(
                row.id,
                {
                    "description": row.text,
                    "seeds": [seed.text for seed in drawn],
                    "count": settings.per_image,
                },
            )
            for row, drawn in zip(asked, shots, strict=True)
        ]
        replies = ask_all(
            "propose",
            questions,
            settings.llm,
            context,
            usable=lambda reply: bool(_texts(reply, settings.per_image)),
        )
        for row, drawn, reply in zip(asked, shots, replies, strict=True):
            yield from _rows(row, drawn, reply, settings.per_image)


def parse_list(text: str) -> list[str]:
    """The instructions in a reply: its list items, or its only line; tidied, without repeats."""
    items = [match.group(1) for line in text.splitlines() if (match := _ITEM.match(line))]
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    found = items or (lines if len(lines) == 1 else [])
    tidied = [prompts.clean_text(item).strip().strip("\"'*_`").strip() for item in found]
    return list(dict.fromkeys(item for item in tidied if len(item.split()) in _WORDS))


def _rows(
    row: Description, drawn: list[SeedInstruction], reply: ChatReply, count: int
) -> Iterator[RawInstruction | Failure]:
    texts = _texts(reply, count)
    if not texts:
        reason = reply.error or "the reply holds no list of instructions of 3 to 40 words"
        yield Failure(row.id, f"no instructions: {reason}")
    for number, text in enumerate(texts):
        seeds = tuple(seed.id for seed in drawn)
        yield RawInstruction(f"{row.id}#{number}", text, row.id, seeds, reply.model)


def _texts(reply: ChatReply, count: int) -> list[str]:
    found = parse_list(reply.text)
    # The item at which the model was cut off is half an instruction.
    return found[: max(0, min(count, len(found) - (reply.finish_reason == "length")))]


def _is_asked(row: Description, context: Context) -> bool:
    share = context.settings(ProposeSettings).share
    return record_seed(context.seed, "propose.share", row.id) < share * 2**31


def _draw(row: Description, context: Context) -> list[SeedInstruction]:
    settings = context.settings(ProposeSettings)
    seeds = _seeds(settings)
    generator = random.Random(record_seed(context.seed, "propose.shots", row.id))
    return generator.sample(seeds, min(settings.shots, len(seeds)))


def _seeds(settings: ProposeSettings) -> list[SeedInstruction]:
    if settings.seeds is None:
        return list(seed_instructions())
    try:
        seeds = _SEEDS.validate_python(load_json(settings.seeds))
    except (OSError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise ConfigError(
            f"propose.seeds: {settings.seeds} must be a JSON list of objects with the texts id, "
            f"task and text: {reason}"
        ) from error
    if not seeds:
        raise ConfigError(f"propose.seeds: {settings.seeds} holds no seed instruction.")
    return seeds
