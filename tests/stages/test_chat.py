"""Seeds and requests of the language-model stages."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from mmi_hpc.llm import prompts
from mmi_hpc.llm.protocol import ChatReply, ChatRequest
from mmi_hpc.llm.request_log import RequestLog
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages import _chat
from mmi_hpc.stages._chat import Question, ask_all, is_usable, prompt_identity, record_seed

FACTS: Mapping[str, Any] = {"members": ["Write a poem.", "Compose a poem."]}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[ChatRequest]:
    """Every request that reaches the asking."""
    found: list[ChatRequest] = []

    def note(requests: list[ChatRequest], *_: object) -> list[ChatReply]:
        found.extend(requests)
        return [ChatReply(str(request.seed), "stop", "m") for request in requests]

    monkeypatch.setattr(_chat, "ask", note)
    return found


def context(seed: int, folder: Path) -> Any:
    return SimpleNamespace(
        seed=seed,
        recorded_replies=lambda: [],
        reply_segment=lambda: folder / "own",
        check_stop=lambda: None,
    )


def test_a_seed_follows_from_run_task_and_record_alone() -> None:
    assert record_seed(0, "answer", "a") == record_seed(0, "answer", "a")
    assert record_seed(0, "answer", "cat") == 2041628388  # another number, another data set
    seeds = {
        record_seed(seed, task, record)
        for seed in (0, 1, 2**63)
        for task in ("answer", "propose")
        for record in ("", "a", "b", "日本")
    }
    assert len(seeds) == 3 * 2 * 4


def test_a_seed_has_31_bits_and_uses_them_evenly() -> None:
    seeds = [record_seed(7, "answer", str(number)) for number in range(4000)]
    assert all(0 <= seed < 2**31 for seed in seeds)
    for bit in range(31):
        assert 0.45 < sum(seed >> bit & 1 for seed in seeds) / len(seeds) < 0.55


def test_requests_carry_prompt_image_and_seed(tmp_path: Path, asked: list[ChatRequest]) -> None:
    questions = [Question("c1", FACTS), Question("c2", FACTS, b"pixels", "image/png")]
    replies = ask_all("summarise", questions, LlmSettings(), context(3, tmp_path))
    prompt = prompts.render("summarise", FACTS)
    assert [reply.text for reply in replies] == [str(request.seed) for request in asked]
    for request, question in zip(asked, questions, strict=True):
        assert (request.system, request.user) == (prompt.system, prompt.user)
        assert (request.task, request.facts) == ("summarise", FACTS)
        assert (request.image, request.image_type) == (question.image, question.image_type)
        assert request.seed == record_seed(3, "summarise", question.record_id)


def test_a_record_has_the_same_seed_in_any_shard(tmp_path: Path, asked: list[ChatRequest]) -> None:
    names = [f"c{number}" for number in range(20)]
    ask_all("summarise", [Question(n, FACTS) for n in names], LlmSettings(), context(3, tmp_path))
    whole = {name: request.seed for name, request in zip(names, asked, strict=True)}
    random.Random(1).shuffle(names)
    for start in range(0, 20, 6):
        asked.clear()
        part = names[start : start + 6]
        ask_all(
            "summarise", [Question(n, FACTS) for n in part], LlmSettings(), context(3, tmp_path)
        )
        assert [request.seed for request in asked] == [whole[name] for name in part]


def test_another_prompt_or_another_writer_is_another_identity() -> None:
    served = LlmSettings(engine="openai", model="m")
    identities = [prompt_identity(name, served) for name in prompts.TEMPLATES]
    assert len({str(identity) for identity in identities}) == len(prompts.TEMPLATES)
    assert prompt_identity("answer", LlmSettings()) not in identities


@pytest.mark.parametrize(
    ("reply", "usable"),
    [
        (ChatReply("fine", "stop", "m"), True),
        (ChatReply(" \n", "stop", "m"), False),
        (ChatReply("cut", "length", "m"), False),
        (ChatReply("", "error", "", error="status 400"), False),
    ],
)
def test_a_reply_without_a_problem_is_usable(reply: ChatReply, usable: bool) -> None:
    assert is_usable(reply) == usable


def test_a_recorded_reply_that_the_stage_cannot_use_is_asked_for_again(tmp_path: Path) -> None:
    question, llm, earlier = Question("c1", FACTS), LlmSettings(), tmp_path / "earlier"
    request = _chat._request("summarise", question, 3)
    RequestLog([], earlier).record([(request.key(llm), ChatReply("", "stop", "m"))])
    at_work = context(3, tmp_path)
    at_work.recorded_replies = lambda: [earlier]
    (kept,) = ask_all("summarise", [question], llm, at_work)
    assert kept.text == ""
    (anew,) = ask_all("summarise", [question], llm, at_work, usable=is_usable)
    assert anew.text != ""
