"""Final instructions: one tidy line of a reply, and how clusters are cut into shards."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import pytest

from mmi_hpc.data.records import Cluster, Failure
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.stages import summarise
from mmi_hpc.stages.summarise import cut_rows, first_line


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("Write a poem.", "Write a poem."),
        ('\n\n "Write a poem."\nIt is a good one.', "Write a poem."),
        ("1. Write a poem.", "Write a poem."),
        ("3D-print a model of the scene.", "3D-print a model of the scene."),
        ("5 facts about the animal, as a list.", "5 facts about the animal, as a list."),
        ("- **Write a poem.**", "Write a poem."),
        ("***\n---\n42.\nWrite a poem.", "Write a poem."),
        ("<image>Write a poem.\x00", "Write a poem."),
        ("", ""),
        (" \n\t\n", ""),
    ],
)
def test_the_first_line_that_says_something_is_the_final_instruction(reply: str, line: str) -> None:
    assert first_line(reply) == line


def test_rows_are_cut_into_consecutive_shards() -> None:
    assert cut_rows(0, 5) == []
    assert cut_rows(5, 5) == [{"start": 0, "rows": 5}]
    assert cut_rows(11, 5) == [
        {"start": 0, "rows": 5},
        {"start": 5, "rows": 5},
        {"start": 10, "rows": 1},
    ]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (ChatReply("Write a poem.", "stop", "m"), ""),
        (ChatReply("Write a", "length", "m"), "cut off"),
        (ChatReply("", "stop", "m"), "empty"),
        (ChatReply("***\n42.", "stop", "m"), "empty"),
        (ChatReply("word " * 61, "stop", "m"), "longer than 60 words"),
        (ChatReply("", "error", "", error="status 400"), "status 400"),
    ],
)
def test_replies_that_fail_are_those_that_a_later_attempt_asks_for_again(
    reply: ChatReply, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []

    def note(*_: object, usable: Callable[[ChatReply], bool]) -> list[ChatReply]:
        judged.append(usable(reply))
        return [reply]

    monkeypatch.setattr(summarise, "ask_all", note)
    context = SimpleNamespace(
        settings=lambda _: summarise.SummariseSettings(),
        own_shards=lambda: [{"start": 0, "rows": 1}],
        rows=lambda *_: [Cluster("cluster-00000", 2, ("Write a poem.", "Compose a poem."))],
    )
    (row,) = summarise.Summarise().map(0, context)
    assert judged == [reason == ""]
    assert isinstance(row, Failure) == (reason != "")
    if isinstance(row, Failure):
        assert reason in row.reason
