"""Chat requests, replies, and what an engine has to do."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import xxhash
from pydantic import ConfigDict

from mmi_hpc.files import dump_json
from mmi_hpc.llm.settings import LlmSettings

# A recorded reply with a field that this version does not know is not silently misread.
STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class ChatRequest:
    """One question to a model.

    Attributes:
        task: The prompt template's name ("answer"); engines without a model write by it.
        system: The system turn; "" for none.
        user: The user turn.
        facts: What the prompt was rendered from.
        image: Encoded image that the user turn shows, or None.
        image_type: Its media type ("image/jpeg").
        seed: Seed of this request's sampling.
    """

    task: str
    system: str
    user: str
    facts: Mapping[str, Any]
    image: bytes | None = None
    image_type: str = ""
    seed: int = 0

    def key(self, settings: LlmSettings) -> str:
        """Identity of the request: 32 hex digits of what the model sees and how it is sampled."""
        image = None
        if self.image is not None:
            image = [self.image_type, xxhash.xxh3_128_hexdigest(self.image)]
        seen = [self.system, self.user, image, self.seed, settings.sampling()]
        return xxhash.xxh3_128_hexdigest(dump_json(seen))

    def messages(self) -> list[dict[str, Any]]:
        """As the messages of an OpenAI-compatible chat request."""
        turns: list[dict[str, Any]] = []
        if self.system:
            turns.append({"role": "system", "content": self.system})
        if self.image is None:
            return [*turns, {"role": "user", "content": self.user}]
        url = f"data:{self.image_type};base64,{base64.b64encode(self.image).decode()}"
        content = [
            {"type": "image_url", "image_url": {"url": url}},
            {"type": "text", "text": self.user},
        ]
        return [*turns, {"role": "user", "content": content}]


@dataclass(frozen=True)
class ChatReply:
    """What came back.

    Attributes:
        text: The reply; "" when there was an error.
        finish_reason: "stop", "length", or "error".
        model: The model that the server names.
        prompt_tokens: As the server counts; 0 when it does not say.
        answer_tokens: As `prompt_tokens`.
        error: Why there is no reply; "" otherwise.
    """

    text: str
    finish_reason: str
    model: str
    prompt_tokens: int = 0
    answer_tokens: int = 0
    error: str = ""

    __pydantic_config__ = STRICT


def no_tick() -> None:
    """For callers that have nothing to do while replies are awaited."""


class Engine(Protocol):
    """Answers requests, in any order."""

    def chat(
        self, requests: Sequence[ChatRequest], tick: Callable[[], None] = no_tick
    ) -> Iterator[tuple[int, ChatReply]]:
        """Yield (position in `requests`, reply) as replies arrive, each position once.

        Args:
            requests: What is asked.
            tick: Called with every reply and several times a second while none comes. What it
                raises ends the chat, after every reply that has arrived by then was yielded.

        Raises:
            WorkError: The engine as a whole is not usable (no server, wrong key or model).
        """
