"""answer: have a model answer every pair from description, instruction and example answers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import Field

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Answer, Example, Failure, Instruction, Match
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.llm import ask, prompts
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages._chat import Question, ask_all, prompt_identity
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.describe import Describe
from mmi_hpc.stages.exemplify import Exemplify
from mmi_hpc.stages.match import MatchInstructions


class AnswerSettings(StageSettings):
    """The model that answers.

    Attributes:
        examples: In-context examples per question, at most as many as there are.
        llm: The model.
    """

    section: ClassVar[str] = "answer"
    examples: int = Field(default=2, ge=0)
    llm: LlmSettings = LlmSettings()


class AnswerPairs(MapStage[Answer]):
    """One answer per pair."""

    name = "answer"
    version = 1
    settings = (Uses(AnswerSettings),)
    seeded = True
    reads = ("match", "describe", "bank", "exemplify")
    output = JsonLines(Answer)

    def identity(self, context: Context) -> dict[str, Any]:
        """The prompt."""
        return prompt_identity("answer", context.settings(AnswerSettings).llm)

    def check(self, context: Context) -> None:
        """Model and key."""
        ask.check(context.settings(AnswerSettings).llm, "answer.llm")

    def map(self, shard: int, context: Context) -> Iterator[Answer | Failure]:
        """Answer the pairs of one shard, pairs of one instruction side by side.

        The examples stand first in the prompt and are the same for all pairs of an instruction,
        so a server that keeps prefixes computes them once.
        """
        settings = context.settings(AnswerSettings)
        matches = list(context.rows(MatchInstructions, shard))
        asked = sorted(matches, key=lambda match: match.position)
        prepared = _questions(asked, shard, context)
        replies = ask_all("answer", [question for question, _ in prepared], settings.llm, context)
        by_id = {
            match.id: _row(match, reply, used, settings.llm)
            for match, reply, (_, used) in zip(asked, replies, prepared, strict=True)
        }
        return (by_id[match.id] for match in matches)


def _questions(
    matches: list[Match], shard: int, context: Context
) -> list[tuple[Question, tuple[str, ...]]]:
    """Each pair's question with the ids of the examples that it shows."""
    count = context.settings(AnswerSettings).examples
    descriptions = {row.id: row.text for row in context.rows(Describe, shard)}
    bank = {entry.instruction.id: entry.instruction for entry in context.rows(Bank, 0)}
    examples: defaultdict[str, list[Example]] = defaultdict(list)
    for example in context.all_rows(Exemplify):
        examples[example.instruction_id].append(example)
    prepared = []
    for match in matches:
        # An image must not see its own example: it would be copied.
        shown = [e for e in examples[match.instruction_id] if e.image_id != match.image_id][:count]
        instruction = bank[match.instruction_id]
        facts = _facts(descriptions[match.image_id], instruction, shown)
        prepared.append((Question(match.id, facts), tuple(example.id for example in shown)))
    return prepared


def _facts(description: str, instruction: Instruction, shown: list[Example]) -> dict[str, Any]:
    return {
        "description": description,
        "instruction": instruction.text,
        "examples": [
            {
                "description": example.description,
                "instruction": instruction.text,
                "answer": example.text,
            }
            for example in shown
        ],
    }


def _row(
    match: Match, reply: ChatReply, used: tuple[str, ...], llm: LlmSettings
) -> Answer | Failure:
    if reply.error:
        return Failure(match.id, f"no answer: {reply.error}")
    return Answer(
        id=match.id,
        image_id=match.image_id,
        instruction_id=match.instruction_id,
        text=reply.text.strip(),
        finish_reason=reply.finish_reason,
        engine=llm.engine,
        model=reply.model,
        prompt=prompts.digest("answer"),
        examples=used,
        prompt_tokens=reply.prompt_tokens,
        answer_tokens=reply.answer_tokens,
    )
