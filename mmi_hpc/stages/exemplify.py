"""exemplify: have a strong model write a few example answers per instruction."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Example, Exemplar, Failure, Instruction
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Shard, Uses
from mmi_hpc.llm import ask
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages._chat import Question, ask_all, is_usable, problem, prompt_identity
from mmi_hpc.stages.balance import BalanceInstructions
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.summarise import cut_rows


class ExemplifySettings(StageSettings):
    """The model that writes the examples."""

    section: ClassVar[str] = "exemplify"
    llm: LlmSettings = LlmSettings()


class Exemplify(MapStage[Example]):
    """Example answers for the exemplar images that `balance` picked."""

    name = "exemplify"
    version = 1
    settings = (Uses(ExemplifySettings),)
    seeded = True
    reads = ("bank", "balance")
    output = JsonLines(Example)

    def identity(self, context: Context) -> dict[str, Any]:
        """The prompt."""
        return prompt_identity("exemplify", context.settings(ExemplifySettings).llm)

    def check(self, context: Context) -> None:
        """Model and key."""
        ask.check(context.settings(ExemplifySettings).llm, "exemplify.llm")

    def plan(self, context: Context) -> list[Shard]:
        """The bank, cut into shards."""
        return cut_rows(context.count("bank"), context.shard_rows)

    def map(self, shard: int, context: Context) -> Iterator[Example | Failure]:
        """Write the examples of some instructions."""
        llm = context.settings(ExemplifySettings).llm
        pairs = _pairs(context.own_shards()[shard], context)
        questions = [
            Question(
                f"{instruction.id}/{exemplar.image_id}",
                {"description": exemplar.description, "instruction": instruction.text},
            )
            for instruction, exemplar in pairs
        ]
        replies = ask_all("exemplify", questions, llm, context, usable=is_usable)
        for (instruction, exemplar), reply in zip(pairs, replies, strict=True):
            name = f"{instruction.id}/{exemplar.image_id}"
            if reason := problem(reply):
                yield Failure(name, f"no example: {reason}")
            else:
                yield Example(
                    id=name,
                    instruction_id=instruction.id,
                    image_id=exemplar.image_id,
                    description=exemplar.description,
                    text=reply.text.strip(),
                    model=reply.model,
                )


def _pairs(part: Shard, context: Context) -> list[tuple[Instruction, Exemplar]]:
    balance = next(context.rows(BalanceInstructions, 0))
    bank = islice(context.rows(Bank, 0), part["start"], part["start"] + part["rows"])
    return [
        (entry.instruction, exemplar)
        for position, entry in enumerate(bank, part["start"])
        for exemplar in balance.exemplars[position]
    ]
