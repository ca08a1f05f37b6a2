"""bank: the final instructions without repeats, with their vectors in the space of the images."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from mmi_hpc.data.records import Failure, Instruction
from mmi_hpc.data.vectors import BankEntry, BankFormat
from mmi_hpc.embed.encoder import load
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import ReduceStage, Uses
from mmi_hpc.stages.embed import EmbedSettings
from mmi_hpc.stages.summarise import Summarise


class Bank(ReduceStage[BankEntry]):
    """All instructions that images can be matched with."""

    name = "bank"
    version = 1
    settings = (Uses(EmbedSettings, ("encoder",)),)
    reads = ("summarise",)
    output = BankFormat()

    def identity(self, context: Context) -> dict[str, Any]:
        """The weights."""
        return {"encoder": context.settings(EmbedSettings).encoder.identity()}

    def reduce(self, shards: range, context: Context) -> Iterator[BankEntry | Failure]:
        """Keep the first of equal texts and embed them."""
        kept: dict[str, Instruction] = {}
        for shard in shards:
            for row in context.rows(Summarise, shard):
                key = " ".join(row.text.casefold().split())
                if key in kept:
                    yield Failure(row.id, f"repeats {kept[key].id}: {row.text}", by_rule=True)
                else:
                    kept[key] = row
        encoder = load(context.settings(EmbedSettings).encoder)
        for name, value in encoder.environment.items():
            context.note(name, value)
        instructions = list(kept.values())
        vectors = encoder.embed_texts([row.text for row in instructions])
        for row, values in zip(instructions, vectors, strict=True):
            yield BankEntry(row, values)
