"""screen: measure every answer by every rule and flag it; what is left out is decided by export."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from pydantic import Field

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Failure, Screening
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.screening import Limits, screen
from mmi_hpc.stages.answer import AnswerPairs
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.describe import Describe
from mmi_hpc.stages.duplicates import Duplicates


class ScreenSettings(StageSettings):
    """Limits of the rules; all of them are our choice.

    Attributes:
        min_words: Shorter answers are flagged `length`.
        max_words: Longer answers are flagged `length`.
        max_repetition: Largest share of word 4-grams that repeat earlier ones.
        max_echo: Largest share of an answer's word 4-grams that stand in its instruction.
    """

    section: ClassVar[str] = "screen"
    min_words: int = Field(default=3, ge=0)
    max_words: int = Field(default=600, ge=1)
    max_repetition: float = Field(default=0.3, ge=0, le=1)
    max_echo: float = Field(default=0.6, ge=0, le=1)


class Screen(MapStage[Screening]):
    """One verdict per answer; all answers of a near-duplicate image are flagged `duplicate`."""

    name = "screen"
    version = 2
    settings = (Uses(ScreenSettings),)
    reads = ("answer", "describe", "bank", "duplicates")
    output = JsonLines(Screening)

    def map(self, shard: int, context: Context) -> Iterator[Screening | Failure]:
        """Screen the answers of one shard."""
        settings = context.settings(ScreenSettings)
        limits = Limits(**settings.model_dump())
        descriptions = {row.id: row.text for row in context.rows(Describe, shard)}
        every = context.rows(Duplicates, 0)
        copies = {row.id: row.cosine for row in every if row.id in descriptions}
        bank = {entry.instruction.id: entry.instruction.text for entry in context.rows(Bank, 0)}
        for answer in context.rows(AnswerPairs, shard):
            flags, scores = screen(
                answer.text,
                instruction=bank[answer.instruction_id],
                description=descriptions[answer.image_id],
                finish_reason=answer.finish_reason,
                limits=limits,
            )
            if (cosine := copies.get(answer.image_id)) is not None:
                flags, scores = (*flags, "duplicate"), {**scores, "duplicate": cosine}
            yield Screening(answer.id, flags, scores)
