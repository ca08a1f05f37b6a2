"""How every language-model stage asks: render, ask what is not recorded, hand back in order."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import xxhash

from mmi_hpc.engine.context import Context
from mmi_hpc.llm import prompts
from mmi_hpc.llm.ask import ask
from mmi_hpc.llm.protocol import ChatReply, ChatRequest
from mmi_hpc.llm.request_log import RequestLog, any_reply
from mmi_hpc.llm.settings import LlmSettings


@dataclass(frozen=True)
class Question:
    """One record's facts, and the image that the model may see."""

    record_id: str
    facts: Mapping[str, Any]
    image: bytes | None = None
    image_type: str = ""


def ask_all(
    template: str,
    questions: Sequence[Question],
    settings: LlmSettings,
    context: Context,
    *,
    usable: Callable[[ChatReply], bool] = any_reply,
) -> list[ChatReply]:
    """Replies in the order of the questions; every draw is seeded by run, task and record.

    Args:
        template: Name of the prompt.
        questions: What is asked about.
        settings: The model.
        context: The stage at work, with the replies of its earlier attempts.
        usable: Whether the stage can make a row of a reply. Where it cannot, the record fails,
            and an attempt that tries failed records again has to ask again instead of reading the
            same reply from the record.
    """
    requests = [_request(template, question, context.seed) for question in questions]
    log = RequestLog(context.recorded_replies(), context.reply_segment(), usable)
    return ask(requests, settings, log, context.check_stop)


def problem(reply: ChatReply) -> str:
    """Why a reply cannot be used as it is, or "": no reply, nothing in it, or cut off."""
    if reply.error:
        return reply.error
    if not reply.text.strip():
        return "the reply is empty"
    return "the reply was cut off by max_tokens" if reply.finish_reason == "length" else ""


def is_usable(reply: ChatReply) -> bool:
    """Whether a reply has no `problem`."""
    return not problem(reply)


def prompt_identity(template: str, settings: LlmSettings) -> dict[str, Any]:
    """What a stage's fingerprint holds of its prompt, or of the writer that needs none."""
    if settings.engine == "rules":
        from mmi_hpc.llm import rules

        return {"rules": rules.VERSION}
    return {"prompt": prompts.digest(template)}


def record_seed(seed: int, task: str, record_id: str) -> int:
    """A seed for one record's draws, 31 bits because servers take no more."""
    return xxhash.xxh3_64_intdigest(f"{task}\0{record_id}".encode(), seed=seed) >> 33


def _request(template: str, question: Question, seed: int) -> ChatRequest:
    prompt = prompts.render(template, question.facts)
    return ChatRequest(
        task=template,
        system=prompt.system,
        user=prompt.user,
        facts=question.facts,
        image=question.image,
        image_type=question.image_type,
        seed=record_seed(seed, template, question.record_id),
    )
