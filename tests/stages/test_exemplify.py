"""Example answers: a reply becomes an example, or a failure that a later attempt can mend."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from mmi_hpc.data.records import Example, Exemplar, Failure, Instruction
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.stages import exemplify
from mmi_hpc.stages.exemplify import Exemplify, ExemplifySettings


class Context:
    """A stage at work on one shard."""

    def settings(self, _: object) -> ExemplifySettings:
        return ExemplifySettings()

    def own_shards(self) -> list[dict[str, int]]:
        return [{"start": 0, "rows": 1}]


def test_replies_that_fail_are_those_that_a_later_attempt_asks_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replies = [
        ChatReply(" A poem.\n", "stop", "served"),
        ChatReply(" ", "stop", "served"),
        ChatReply("Half a", "length", "served"),
    ]
    instruction = Instruction("instruction-00000", "Write a poem.", "cluster-00000", 2, "m")
    pairs = [(instruction, Exemplar(name, "A cat.")) for name in "abc"]
    judged = []

    def note(*_: object, usable: Callable[[ChatReply], bool]) -> list[ChatReply]:
        judged.extend(map(usable, replies))
        return replies

    monkeypatch.setattr(exemplify, "_pairs", lambda *_: pairs)
    monkeypatch.setattr(exemplify, "ask_all", note)
    found = list(Exemplify().map(0, Context()))
    assert judged == [True, False, False]
    assert [type(row) for row in found] == [Example, Failure, Failure]
    assert found[0].text == "A poem."
