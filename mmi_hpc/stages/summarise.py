"""summarise: have a model write one general, reusable instruction per cluster."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice
from typing import Any, ClassVar

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Failure, Instruction
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Shard, Uses
from mmi_hpc.llm import ask, prompts
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages._chat import Question, ask_all, problem, prompt_identity
from mmi_hpc.stages.cluster import ClusterInstructions

_MAX_WORDS = 60
_LIST_MARK = re.compile(r"^\s*(?:\d+\s*[.):]\s+|[-*\u2022]\s+)")


class SummariseSettings(StageSettings):
    """The model that writes the final instructions."""

    section: ClassVar[str] = "summarise"
    llm: LlmSettings = LlmSettings(temperature=0.2, max_tokens=100)


class Summarise(MapStage[Instruction]):
    """One instruction per cluster."""

    name = "summarise"
    version = 1
    settings = (Uses(SummariseSettings),)
    seeded = True
    reads = ("cluster",)
    output = JsonLines(Instruction)

    def identity(self, context: Context) -> dict[str, Any]:
        """The prompt."""
        return prompt_identity("summarise", context.settings(SummariseSettings).llm)

    def check(self, context: Context) -> None:
        """Model and key."""
        ask.check(context.settings(SummariseSettings).llm, "summarise.llm")

    def plan(self, context: Context) -> list[Shard]:
        """The clusters, cut into shards."""
        return cut_rows(context.count("cluster"), context.shard_rows)

    def map(self, shard: int, context: Context) -> Iterator[Instruction | Failure]:
        """Write the instructions of some clusters."""
        llm = context.settings(SummariseSettings).llm
        part = context.own_shards()[shard]
        clusters = list(
            islice(
                context.rows(ClusterInstructions, 0), part["start"], part["start"] + part["rows"]
            )
        )
        questions = [Question(c.id, {"members": list(c.members)}) for c in clusters]
        replies = ask_all(
            "summarise", questions, llm, context, usable=lambda reply: not _problem(reply)
        )
        for cluster, reply in zip(clusters, replies, strict=True):
            if reason := _problem(reply):
                yield Failure(cluster.id, reason)
            else:
                name = cluster.id.replace("cluster", "instruction")
                text = first_line(reply.text)
                yield Instruction(name, text, cluster.id, cluster.size, reply.model)


def cut_rows(count: int, rows: int) -> list[Shard]:
    """Shards of consecutive rows of a stage that has a single file."""
    starts = range(0, count, rows)
    return [{"start": start, "rows": min(rows, count - start)} for start in starts]


def _problem(reply: ChatReply) -> str:
    """Why a reply gives no final instruction, or ""."""
    text = first_line(reply.text)
    if reason := problem(reply) or ("" if text else "the reply is empty"):
        return f"no final instruction: {reason}"
    if len(text.split()) > _MAX_WORDS:
        return f"the final instruction is longer than {_MAX_WORDS} words"
    return ""


def first_line(text: str) -> str:
    """The first line that says something, without quotes or list marks."""
    for line in prompts.clean_text(text).splitlines():
        tidied = _LIST_MARK.sub("", line).strip("\"'*_` ")
        if any(character.isalpha() for character in tidied):
            return tidied
    return ""
