"""The engine without a model, for the offline quickstart and for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mmi_hpc.llm.protocol import ChatReply, ChatRequest, no_tick

NAME = "rules"


class RulesEngine:
    """Writes deterministic texts from a request's facts; never looks at pixels."""

    def chat(
        self, requests: Sequence[ChatRequest], tick: Callable[[], None] = no_tick
    ) -> Iterator[tuple[int, ChatReply]]:
        """Answer in order."""
        from mmi_hpc.llm.rules import write

        for position, request in enumerate(requests):
            tick()
            text = write(request.task, request.facts, request.seed)
            yield position, ChatReply(text, "stop", NAME)
