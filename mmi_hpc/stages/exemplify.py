"""exemplify: have a strong model write a few example answers per instruction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Example, Failure, Instruction
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Shard, Uses
from mmi_hpc.llm import ask
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages._chat import Question, ask_all, prompt_identity
from mmi_hpc.stages.balance import BalanceInstructions
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.describe import Describe
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
    reads = ("bank", "balance", "describe")
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
        descriptions = _descriptions([place for _, place in pairs], context)
        questions = [
            Question(
                f"{instruction.id}/{record_id}",
                {
                    "description": descriptions[record_id],
                    "instruction": instruction.text,
                },
            )
            for instruction, (_, record_id) in pairs
        ]
        replies = ask_all("exemplify", questions, llm, context)
        for (instruction, (_, record_id)), reply in zip(pairs, replies, strict=True):
            name = f"{instruction.id}/{record_id}"
            text = reply.text.strip()
            if reply.error or not text:
                yield Failure(name, f"no example: {reply.error or 'the reply is empty'}")
            else:
                yield Example(
                    id=name,
                    instruction_id=instruction.id,
                    image_id=record_id,
                    description=descriptions[record_id],
                    text=text,
                    model=reply.model,
                )


def _pairs(part: Shard, context: Context) -> list[tuple[Instruction, tuple[int, str]]]:
    balance = next(context.rows(BalanceInstructions, 0))
    bank = islice(context.rows(Bank, 0), part["start"], part["start"] + part["rows"])
    return [
        (entry.instruction, place)
        for position, entry in enumerate(bank, part["start"])
        for place in balance.exemplars[position]
    ]


def _descriptions(places: list[tuple[int, str]], context: Context) -> dict[str, str]:
    """The descriptions of some records, reading each shard once."""
    wanted: defaultdict[int, set[str]] = defaultdict(set)
    for shard, record_id in places:
        wanted[shard].add(record_id)
    return {
        row.id: row.text
        for shard, ids in sorted(wanted.items())
        for row in context.rows(Describe, shard)
        if row.id in ids
    }
