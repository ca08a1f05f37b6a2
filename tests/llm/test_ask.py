"""Asking: what is known is not asked again, what arrived is kept, errors are tried again."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from fault_server import FaultServer, Received, Reply, completion, error

from mmi_hpc.errors import ConfigError, Requeue, WorkError
from mmi_hpc.llm import ask as asking
from mmi_hpc.llm.ask import ask, check
from mmi_hpc.llm.protocol import ChatReply, ChatRequest, no_tick
from mmi_hpc.llm.request_log import RequestLog
from mmi_hpc.llm.settings import LlmSettings


def requests(*users: str) -> list[ChatRequest]:
    return [ChatRequest("answer", "", user, {}) for user in users]


def echo(request: Received) -> Reply:
    return completion(f"re: {request.user}")


@pytest.fixture
def settings(server: FaultServer) -> LlmSettings:
    server.script = echo
    return LlmSettings(
        engine="openai", model="m", base_url=server.base_url, concurrency=4, max_attempts=1
    )


def test_replies_come_in_the_order_of_the_requests(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    def late_first(request: Received) -> Reply:
        time.sleep(0.02 * (9 - int(request.user)))
        return echo(request)

    server.script = late_first
    asked = requests(*map(str, range(10)))
    replies = ask(asked, settings, RequestLog([], tmp_path / "own"), no_tick)
    assert [reply.text for reply in replies] == [f"re: {number}" for number in range(10)]


def test_equal_requests_are_asked_once(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    asked = requests("a", "b", "a", "a")
    replies = ask(asked, settings, RequestLog([], tmp_path / "own"), no_tick)
    assert [reply.text for reply in replies] == ["re: a", "re: b", "re: a", "re: a"]
    assert sorted(request.user for request in server.received) == ["a", "b"]


def test_a_recorded_reply_is_never_asked_for_again(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    first = ask(requests("a", "b"), settings, RequestLog([], tmp_path / "1"), no_tick)
    log = RequestLog([tmp_path / "1"], tmp_path / "2")
    again = ask(requests("c", "b", "a"), settings, log, no_tick)
    assert again[1:] == first[::-1]
    assert [request.user for request in server.received[2:]] == ["c"]
    server.close()
    everything = RequestLog([tmp_path / "1", tmp_path / "2"], tmp_path / "3")
    assert ask(requests("a", "b", "c"), settings, everything, no_tick) == [*first, again[0]]
    assert not (tmp_path / "3").exists()


def test_an_error_is_given_back_but_not_recorded_and_asked_again_next_time(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    server.script = lambda r: error(400, "too long") if r.user == "bad" else echo(r)
    replies = ask(requests("a", "bad", "b"), settings, RequestLog([], tmp_path / "1"), no_tick)
    assert [reply.text for reply in replies] == ["re: a", "", "re: b"]
    assert "too long" in replies[1].error
    assert len((tmp_path / "1").read_bytes().splitlines()) == 2
    server.script = echo
    log = RequestLog([tmp_path / "1"], tmp_path / "2")
    again = ask(requests("a", "bad", "b"), settings, log, no_tick)
    assert [reply.text for reply in again] == ["re: a", "re: bad", "re: b"]
    assert len(server.received) == 4


def test_an_unusable_reply_is_asked_for_again_by_the_next_attempt_only(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    server.script = lambda r: completion("") if r.user == "bad" else echo(r)

    def log(own: int) -> RequestLog:
        earlier = [tmp_path / str(number) for number in range(1, own)]
        return RequestLog(earlier, tmp_path / str(own), usable=lambda reply: reply.text != "")

    first = log(1)
    for _ in range(2):
        replies = ask(requests("a", "bad"), settings, first, no_tick)
        assert [reply.text for reply in replies] == ["re: a", ""]
    assert len(server.received) == 2
    server.script = echo
    replies = ask(requests("a", "bad"), settings, log(2), no_tick)
    assert [reply.text for reply in replies] == ["re: a", "re: bad"]
    assert ask(requests("a", "bad"), settings, log(3), no_tick) == replies
    assert [request.user for request in server.received[2:]] == ["bad"]


def test_an_unusable_server_ends_the_asking_and_keeps_what_came_before(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    def revoke(request: Received) -> Reply:
        return error(401, "revoked") if request.user == "c" else echo(request)

    server.script = revoke
    alone = settings.model_copy(update={"concurrency": 1})
    with pytest.raises(WorkError, match="revoked"):
        ask(requests("a", "b", "c", "d"), alone, RequestLog([], tmp_path / "1"), no_tick)
    log = RequestLog([tmp_path / "1"], tmp_path / "2")
    known = [log.get(request.key(alone)) is not None for request in requests("a", "b", "c", "d")]
    assert known == [True, True, False, False]


@pytest.mark.usefixtures("no_thread_is_left")
def test_a_stop_while_the_server_is_slow_keeps_every_reply_that_came(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    def slow(request: Received) -> Reply:
        if request.user == "slow":
            server.closing.wait()
        return echo(request)

    def stop_when_the_slow_one_waits() -> None:
        if len(server.received) == 6 and len(own.read_bytes().splitlines()) == 5:
            raise Requeue("asked to stop")

    server.script = slow
    own = tmp_path / "own"
    own.touch()
    asked = requests("a", "b", "slow", "c", "d", "e")
    with pytest.raises(Requeue):
        ask(asked, settings, RequestLog([], own), stop_when_the_slow_one_waits)
    log = RequestLog([own], tmp_path / "next")
    unknown = [request.user for request in asked if log.get(request.key(settings)) is None]
    assert unknown == ["slow"]


@pytest.mark.usefixtures("no_thread_is_left")
def test_a_stop_keeps_the_replies_that_arrived_while_nobody_looked(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    arrived = server.received

    def busy_then_stop() -> None:
        if arrived:
            while len(arrived) < 8:  # a slow disk, say
                time.sleep(0.01)
            time.sleep(0.3)
            raise Requeue("asked to stop")

    asked = requests(*"abcdefgh")
    with pytest.raises(Requeue):
        ask(asked, settings, RequestLog([], tmp_path / "own"), busy_then_stop)
    log = RequestLog([tmp_path / "own"], tmp_path / "next")
    assert all(log.get(request.key(settings)) for request in asked)


def test_a_reply_reaches_the_disk_while_the_next_one_is_awaited(
    server: FaultServer, settings: LlmSettings, tmp_path: Path
) -> None:
    """A worker that is killed may have waited for minutes; what it had received must be there."""
    own = tmp_path / "own"

    def second_waits_for_the_first_on_disk(request: Received) -> Reply:
        if request.user == "b":
            deadline = time.monotonic() + 30
            while not own.exists() and time.monotonic() < deadline:
                time.sleep(0.02)
            return completion("on disk" if own.exists() else "still in memory")
        return echo(request)

    server.script = second_waits_for_the_first_on_disk
    replies = ask(requests("a", "b"), settings, RequestLog([], own), no_tick)
    assert replies[1].text == "on disk"


def test_the_rules_engine_asks_no_server_and_can_be_stopped(tmp_path: Path) -> None:
    facts = {"description": "A cat sits.", "instruction": "Write a poem.", "examples": []}
    asked = [ChatRequest("answer", "", str(n), facts, seed=n) for n in range(5)]
    calls = []

    def stop_at_the_third() -> None:
        calls.append(1)
        if len(calls) == 3:
            raise Requeue("asked to stop")

    with pytest.raises(Requeue):
        ask(asked, LlmSettings(), RequestLog([], tmp_path / "1"), stop_at_the_third)
    assert len((tmp_path / "1").read_bytes().splitlines()) == 2
    log = RequestLog([tmp_path / "1"], tmp_path / "2")
    replies = ask(asked, LlmSettings(), log, no_tick)
    assert len((tmp_path / "2").read_bytes().splitlines()) == 3
    assert {reply.model for reply in replies} == {"rules"}
    assert replies == ask(asked, LlmSettings(), RequestLog([], tmp_path / "3"), no_tick)


def test_replies_that_cannot_be_recorded_end_the_asking(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Log(RequestLog):
        def record(self, replies: object) -> None:
            raise OSError(28, "No space left on device")

    class Quick:
        def chat(
            self, requests: Sequence[ChatRequest], tick: Callable[[], None]
        ) -> Iterator[tuple[int, ChatReply]]:
            for position, _ in enumerate(requests):
                yield position, ChatReply("text", "stop", "m")

    monkeypatch.setattr(asking, "make_engine", lambda settings: Quick())
    with pytest.raises(OSError, match="No space"):
        ask(requests("a"), LlmSettings(), Log([], tmp_path / "own"), no_tick)


def test_names_and_keys_are_looked_for_before_anything_starts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    check(LlmSettings(), "answer.llm")
    with pytest.raises(ConfigError, match=r"answer\.llm\.model: name the model"):
        check(LlmSettings(engine="openai"), "answer.llm")
    named = LlmSettings(engine="openai", model="m", api_key_env="MMI_TEST_KEY")
    monkeypatch.delenv("MMI_TEST_KEY", raising=False)
    with pytest.raises(ConfigError, match="export MMI_TEST_KEY="):
        check(named, "answer.llm")
    monkeypatch.setenv("MMI_TEST_KEY", "sk-1\r\n")
    check(named, "answer.llm")  # line ends around a key are an editor's, not the key's
    monkeypatch.setenv("MMI_TEST_KEY", "sk-secret\nX-Other: 1")
    with pytest.raises(ConfigError, match="MMI_TEST_KEY") as caught:
        check(named, "answer.llm")
    assert "secret" not in str(caught.value)
