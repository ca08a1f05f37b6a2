"""Replies on disk: whole lines only, the first one counts, nothing is half written."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest

from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.llm.request_log import RequestLog


def reply(text: str) -> ChatReply:
    return ChatReply(text, "stop", "m", 3, 4)


def written(path: Path, *replies: tuple[str, ChatReply]) -> Path:
    RequestLog([], path).record(replies)
    return path


def test_what_was_recorded_is_known_at_once_and_later(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    log = RequestLog([], own)
    log.record([("a", reply("eins\n\u2028 🐈"))])
    log.record([("b", reply("zwei"))])
    assert log.get("a") == reply("eins\n\u2028 🐈")
    later = RequestLog([own], tmp_path / "next.jsonl")
    assert [later.get(key) for key in ("a", "b", "c")] == [log.get("a"), reply("zwei"), None]


def test_a_segment_comes_into_being_with_its_first_reply(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    log = RequestLog([], own)
    log.record([])
    assert not own.exists()
    log.record([("a", reply("eins"))])
    assert own.exists()


def test_a_torn_last_line_is_no_reply(tmp_path: Path) -> None:
    path = written(tmp_path / "1.jsonl", ("a", reply("eins")), ("b", reply("zwei")))
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        log = RequestLog([path], tmp_path / "own.jsonl")
        assert (log.get("a") is not None) == (length > whole.index(b"\n"))
        assert log.get("b") is None


def test_the_first_complete_reply_of_several_attempts_counts(tmp_path: Path) -> None:
    first = written(tmp_path / "1.jsonl", ("a", reply("first a")), ("b", reply("torn b")))
    first.write_bytes(first.read_bytes()[:-5])
    second = written(tmp_path / "2.jsonl", ("b", reply("second b")), ("a", reply("second a")))
    third = written(tmp_path / "3.jsonl", ("b", reply("third b")), ("b", reply("last b")))
    log = RequestLog([first, second, third], tmp_path / "own.jsonl")
    assert log.get("a") == reply("first a")
    assert log.get("b") == reply("second b")
    log.record([("a", reply("own a"))])
    assert log.get("a") == reply("first a")


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        (b'{"key":"a","reply":{"text":"","finish_reason":"","model":""},"more":1}', "more"),
        (b'{"key":"a","reply":{"text":"","finish_reason":"","model":"","cost":1}}', "reply.cost"),
        (b'{"key":"a"}', "reply"),
        (b'{"key":"a","reply":{"text":7,"finish_reason":"","model":""}}', "reply.text"),
        (b"no json", "JSON"),
        (b"", "JSON"),
    ],
)
def test_a_line_that_is_no_reply_is_named_with_file_and_number(
    line: bytes, problem: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "1.jsonl", ("a", reply("eins")))
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(ValueError, match=problem) as caught:
        RequestLog([path], tmp_path / "own.jsonl")
    assert f"{path}:2 " in str(caught.value)


def test_a_write_that_fails_leaves_no_half_line_behind(tmp_path: Path) -> None:
    own = tmp_path / "own.jsonl"
    log = RequestLog([], own)
    log.record([("a", reply("eins"))])
    before = own.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 20, hard))
    try:
        with pytest.raises(OSError, match="large"):
            log.record([("b", reply("zwei"))])
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert own.read_bytes() == before
    assert log.get("b") is None
    log.record([("b", reply("zwei"))])
    assert RequestLog([own], tmp_path / "next.jsonl").get("b") == reply("zwei")


def test_an_unusable_reply_of_an_earlier_attempt_is_not_taken_over(tmp_path: Path) -> None:
    first = written(tmp_path / "1.jsonl", ("a", reply("")), ("b", reply("fine")))
    second = written(tmp_path / "2.jsonl", ("a", reply("a second try")), ("b", reply("other")))
    third = written(tmp_path / "3.jsonl", ("a", reply("a third try")))

    def log(*earlier: Path) -> RequestLog:
        return RequestLog(earlier, tmp_path / "own.jsonl", usable=lambda known: known.text != "")

    assert log(first).get("a") is None
    assert log(first).get("b") == reply("fine")
    assert log(first, second, third).get("a") == reply("a second try")
    assert log(first, second, third).get("b") == reply("fine")


def test_an_unusable_reply_counts_within_its_own_attempt(tmp_path: Path) -> None:
    log = RequestLog([], tmp_path / "own.jsonl", usable=lambda _: False)
    log.record([("a", reply(""))])
    assert log.get("a") == reply("")
