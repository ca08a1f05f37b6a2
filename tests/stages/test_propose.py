"""Raw instructions out of replies that nobody has vetted, and who is asked with which examples."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mmi_hpc.data.records import Description, Failure, RawInstruction
from mmi_hpc.data.samples import seed_instructions
from mmi_hpc.errors import ConfigError
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.stages import propose
from mmi_hpc.stages.propose import ProposeSettings, parse_list

POEM, STORY = "Write a poem about the photo.", "Tell a story set in the scene."


def context(seed: int = 0, **settings: Any) -> Any:
    section = ProposeSettings(**settings)
    return SimpleNamespace(seed=seed, settings=lambda _: section)


def rows(count: int) -> list[Description]:
    return [Description(f"image-{number}", "A cat.", "given") for number in range(count)]


@pytest.mark.parametrize(
    "reply",
    [
        f"1. {POEM}\n2. {STORY}",
        f"1) {POEM}\n2) {STORY}",
        f"Here are two instructions:\n\n1. {POEM}\n\n2. {STORY}\n\nI hope this helps!",
        f"- {POEM}\n* {STORY}",
        f"\u2022 {POEM}\r\n\u2022 {STORY}\r\n",
        f'  10 . "{POEM}"\n  11: **{STORY}**',
        f"1. {POEM}\n2. {POEM}\n3. {STORY}",
        f"1. {POEM}\n2. {STORY}\n3. Too short\n4. " + "word " * 41,
        f"1. <image>{POEM}\x00\n2. {STORY}\ud800",
    ],
)
def test_the_items_of_a_list_are_found_however_it_is_written(reply: str) -> None:
    assert parse_list(reply) == [POEM, STORY]


@pytest.mark.parametrize("reply", [POEM, f'"{POEM}"', f"\n\n  {POEM}\n"])
def test_a_single_line_is_an_instruction(reply: str) -> None:
    assert parse_list(reply) == [POEM]


@pytest.mark.parametrize(
    "reply",
    [
        "",
        " \n\t ",
        "I cannot\nhelp with that.",
        "No.",
        "1.\n2.\n3.",
        "1. " + "x" * 10_000,
        "**\n**",
    ],
)
def test_a_reply_without_instructions_gives_none(reply: str) -> None:
    assert parse_list(reply) == []


def test_the_longest_and_shortest_instruction_that_count() -> None:
    for words in (2, 3, 40, 41):
        text = " ".join(["word"] * words)
        assert bool(parse_list(f"1. {text}")) == (3 <= words <= 40)


def test_a_hostile_reply_of_a_megabyte_is_read_in_passing() -> None:
    assert parse_list("1. " + " " * 1_000_000) == []
    assert parse_list("- " * 500_000) == []
    assert parse_list("\n" * 1_000_000) == []


def test_rows_name_their_image_seeds_and_model() -> None:
    image = rows(1)[0]
    drawn = list(seed_instructions())[:2]
    reply = ChatReply(f"1. {POEM}\n2. {STORY}\n3. Describe the light in it.", "stop", "m")
    assert list(propose._rows(image, drawn, reply, 2)) == [
        RawInstruction("image-0#0", POEM, "image-0", (drawn[0].id, drawn[1].id), "m"),
        RawInstruction("image-0#1", STORY, "image-0", (drawn[0].id, drawn[1].id), "m"),
    ]


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        (ChatReply("", "error", "", error="status 400: too long"), "status 400: too long"),
        (ChatReply("I cannot\nhelp.", "stop", "m"), "no list of instructions"),
    ],
)
def test_a_reply_that_gives_nothing_is_a_failure_with_its_reason(
    reply: ChatReply, reason: str
) -> None:
    (failure,) = propose._rows(rows(1)[0], [], reply, 3)
    assert isinstance(failure, Failure)
    assert failure.id == "image-0"
    assert reason in failure.reason


@pytest.mark.parametrize(
    ("text", "finish_reason", "usable"),
    [
        (f"1. {POEM}", "stop", True),
        (f"1. {POEM}\n2. {STORY}", "length", True),
        (f"1. {POEM}", "length", False),
        ("", "length", False),
        ("I cannot\nhelp.", "stop", False),
    ],
)
def test_replies_that_fail_are_those_that_a_later_attempt_asks_for_again(
    text: str, finish_reason: str, usable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = []

    def note(*_: object, usable: Callable[[ChatReply], bool]) -> list[ChatReply]:
        judged.append(usable(reply))
        return [reply]

    reply = ChatReply(text, finish_reason, "m")
    monkeypatch.setattr(propose, "ask_all", note)
    at_work = context()
    at_work.rows = lambda *_: rows(1)
    made = list(propose.Propose().map(0, at_work))
    assert judged == [usable]
    assert all(isinstance(row, RawInstruction) == usable for row in made)


def test_the_share_of_images_that_are_asked_about_is_kept_and_grows_from_within() -> None:
    images = rows(3000)
    few, many, all_of_them = (
        {row.id for row in images if propose._is_asked(row, context(share=share))}
        for share in (0.1, 0.4, 1.0)
    )
    assert 0.08 < len(few) / 3000 < 0.12
    assert 0.37 < len(many) / 3000 < 0.43
    assert len(all_of_them) == 3000
    assert few < many
    other = {row.id for row in images if propose._is_asked(row, context(seed=1, share=0.1))}
    assert other != few


def test_examples_are_drawn_anew_for_each_image_and_always_the_same() -> None:
    draws = [[seed.id for seed in propose._draw(row, context())] for row in rows(50)]
    assert draws == [[seed.id for seed in propose._draw(row, context())] for row in rows(50)]
    assert all(len(set(draw)) == 4 for draw in draws)
    assert len({tuple(draw) for draw in draws}) > 45
    assert len({name for draw in draws for name in draw}) > 35
    other = [[seed.id for seed in propose._draw(row, context(seed=1))] for row in rows(50)]
    assert other != draws


def test_no_more_examples_are_shown_than_there_are(tmp_path: Path) -> None:
    path = tmp_path / "seeds.json"
    path.write_text(json.dumps([{"id": "a", "task": "poem", "text": POEM}]))
    assert [seed.text for seed in propose._draw(rows(1)[0], context(seeds=path, shots=9))] == [POEM]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "no json",
        "[]",
        "{}",
        "[1]",
        '[{"id": "a", "text": 3, "task": "b"}]',
        '[{"id": "a"}]',
        '{"a": 1}',
        "null",
        '[{"id": "a", "text": "b", "task": "c", "more": 1}]',
    ],
)
def test_seeds_of_another_form_are_a_setting_to_correct(content: str, tmp_path: Path) -> None:
    path = tmp_path / "seeds.json"
    path.write_text(content)
    with pytest.raises(ConfigError, match=r"propose\.seeds"):
        propose._seeds(ProposeSettings(seeds=path))
