"""The client of OpenAI-compatible servers, against a real server that fails on demand."""

from __future__ import annotations

import base64
import json
import logging
import socket
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from fault_server import FaultServer, Received, Reply, completion, error, reset

from mmi_hpc.errors import ConfigError, Requeue, WorkError
from mmi_hpc.llm import openai_http
from mmi_hpc.llm.openai_engine import OpenAIEngine
from mmi_hpc.llm.protocol import ChatReply, ChatRequest
from mmi_hpc.llm.settings import LlmSettings

KEY = "sk-test-0123456789"
pytestmark = pytest.mark.usefixtures("no_thread_is_left")
Make = Callable[..., OpenAIEngine]


def request(user: str = "hello", **others: Any) -> ChatRequest:
    return ChatRequest("answer", others.pop("system", ""), user, {}, **others)


@pytest.fixture
def engine(server: FaultServer, monkeypatch: pytest.MonkeyPatch) -> Make:
    """Makes engines that talk to the scripted server."""
    monkeypatch.setenv("MMI_TEST_KEY", KEY)

    def make(**others: Any) -> OpenAIEngine:
        values: dict[str, Any] = {
            "engine": "openai",
            "model": "asked-model",
            "base_url": server.base_url,
            "api_key_env": "MMI_TEST_KEY",
            "concurrency": 4,
            "max_attempts": 3,
            "timeout_seconds": 30,
        }
        return OpenAIEngine(LlmSettings(**{**values, **others}))

    return make


def chat(engine: OpenAIEngine, requests: Sequence[ChatRequest]) -> list[ChatReply]:
    found = dict(engine.chat(requests))
    return [found[position] for position in range(len(requests))]


def one(engine: OpenAIEngine) -> ChatReply:
    return chat(engine, [request()])[0]


# --- what is sent -----------------------------------------------------------------------------


def test_the_body_holds_model_sampling_and_messages(server: FaultServer, engine: Make) -> None:
    made = engine(temperature=0.25, top_p=0.5, max_tokens=77)
    chat(made, [request("What is it?", system="Be brief.", seed=12)])
    received = server.received[0]
    assert received.path == "/v1/chat/completions"
    assert received.headers["content-type"] == "application/json"
    assert received.body == {
        "model": "asked-model",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is it?"},
        ],
        "temperature": 0.25,
        "top_p": 0.5,
        "max_tokens": 77,
        "seed": 12,
    }


def test_an_empty_system_prompt_is_no_message(server: FaultServer, engine: Make) -> None:
    chat(engine(), [request("hello", system="")])
    assert server.received[0].body["messages"] == [{"role": "user", "content": "hello"}]


def test_an_image_arrives_byte_for_byte(server: FaultServer, engine: Make) -> None:
    image = bytes(range(256)) * 500
    chat(engine(), [request("What?", image=image, image_type="image/webp")])
    shown, text = server.received[0].user
    head, _, data = shown["image_url"]["url"].partition(",")
    assert head == "data:image/webp;base64"
    assert base64.b64decode(data) == image
    assert text == {"type": "text", "text": "What?"}


def test_any_text_arrives_as_it_is(server: FaultServer, engine: Make) -> None:
    text = "日本語 🐈 \u2028 \\ \" ' </script> {{x}} \x7f"
    server.script = lambda received: completion(received.user)
    assert chat(engine(), [request(text)])[0].text == text


def test_the_key_stands_in_the_authorization_header_alone(
    server: FaultServer, engine: Make
) -> None:
    one(engine())
    received = server.received[0]
    assert received.headers.pop("authorization") == f"Bearer {KEY}"
    assert KEY not in json.dumps([received.headers, received.body, received.path])


def test_without_a_key_there_is_no_authorization_header(server: FaultServer, engine: Make) -> None:
    one(engine(api_key_env=""))
    assert "authorization" not in server.received[0].headers


@pytest.mark.parametrize("status", [200, 400, 401, 503])
def test_the_key_never_shows_even_when_the_server_repeats_it(
    status: int, server: FaultServer, engine: Make, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    padding = "x" * (280 - len(KEY) // 2)  # so that an excerpt would end in the middle of the key
    for said in (f"your key is {KEY}", padding + KEY):
        server.script = lambda received, said=said: error(status, said)
        try:
            shown = repr(one(engine(max_attempts=1)))
        except WorkError as problem:
            shown = "".join(traceback.format_exception(problem))
        assert KEY not in shown
        assert KEY[:12] not in shown
    assert KEY not in caplog.text


def test_requests_are_not_logged_one_by_one(engine: Make, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    one(engine())
    assert not [record for record in caplog.records if record.name.startswith("http")]


def test_proxies_of_the_environment_are_not_used_for_this_machine(
    server: FaultServer, engine: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = FaultServer()
    try:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{proxy.port}")
        monkeypatch.delenv("NO_PROXY", raising=False)
        monkeypatch.delenv("no_proxy", raising=False)
        for base_url in (server.base_url, server.base_url.replace("127.0.0.1", "localhost")):
            assert one(engine(base_url=base_url)).text == "fine"
        assert proxy.received == []
        assert len(server.received) == 2
    finally:
        proxy.close()


@pytest.mark.parametrize(
    ("host", "here"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("0.0.0.0", True),
        ("localhost.example.org", False),
        ("10.0.0.1", False),
        ("api.example.org", False),
    ],
)
def test_this_machine_is_told_from_others(host: str, here: bool) -> None:
    assert openai_http.is_this_machine(host) is here


def test_a_redirect_is_not_followed(server: FaultServer, engine: Make) -> None:
    elsewhere = FaultServer()
    try:
        target = elsewhere.base_url + "/chat/completions"
        server.script = lambda received: Reply(b"", 307, {"location": target})
        with pytest.raises(WorkError, match="Set base_url") as caught:
            one(engine())
        assert target in str(caught.value)
        assert elsewhere.received == []
    finally:
        elsewhere.close()


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/v1", "http://[::1/v1", "http://xn--/v1", "http://h:port/v1"]
)
def test_an_address_that_is_none_is_a_setting_to_correct(url: str, engine: Make) -> None:
    with pytest.raises(ConfigError, match="base_url"):
        engine(base_url=url)


# --- what comes back --------------------------------------------------------------------------


def test_a_reply_is_taken_apart(engine: Make) -> None:
    assert one(engine()) == ChatReply("fine", "stop", "served-model", 11, 7)


def test_a_reply_may_lack_usage_model_and_reason(server: FaultServer, engine: Make) -> None:
    server.script = lambda received: completion(
        usage=None, model=None, choices=[{"message": {"content": "bare"}}]
    )
    assert one(engine()) == ChatReply("bare", "stop", "", 0, 0)


def test_a_reply_without_content_is_an_empty_text(server: FaultServer, engine: Make) -> None:
    server.script = lambda received: completion(None)
    reply = one(engine())
    assert (reply.text, reply.error) == ("", "")
    assert len(server.received) == 1


def test_a_cut_reply_says_so(server: FaultServer, engine: Make) -> None:
    choice = {"message": {"content": "Once upon"}, "finish_reason": "length"}
    server.script = lambda received: completion(choices=[choice])
    reply = one(engine())
    assert (reply.text, reply.finish_reason, reply.error) == ("Once upon", "length", "")


@pytest.mark.parametrize("count", ["NaN", "1e999", "-3", '"7"', "true", "9" * 40, "[1]"])
def test_a_token_count_that_is_none_counts_as_unknown(
    count: str, server: FaultServer, engine: Make
) -> None:
    body = completion().body.replace(b'"prompt_tokens": 11', f'"prompt_tokens": {count}'.encode())
    server.script = lambda received: Reply(body)
    assert one(engine()) == ChatReply("fine", "stop", "served-model", 0, 7)


def test_half_a_character_in_a_reply_is_replaced(server: FaultServer, engine: Make) -> None:
    body = completion("xy").body.replace(b"xy", rb"\ud83d\ude00 and \ud83d")
    server.script = lambda received: Reply(body)
    assert one(engine()).text == "😀 and ?"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>Bad gateway</html>",
        b"\xff\xfe\x00",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": ["parts"]}}]}',
        b'{"error": {"message": "overloaded"}}',
        b"[" * 100_000,
        completion().body[:-20],
    ],
    ids=lambda body: body[:24].decode("latin-1"),
)
def test_a_body_that_is_no_completion_is_tried_again(
    body: bytes, server: FaultServer, engine: Make
) -> None:
    server.script = lambda r: Reply(body) if r.try_number == 1 else completion("second try")
    assert one(engine()).text == "second try"
    assert len(server.received) == 2


def test_a_body_that_never_is_a_completion_ends_as_an_error(
    server: FaultServer, engine: Make
) -> None:
    server.script = lambda received: Reply(b"<h1>\x1b[31mMaintenance\n</h1>" + b"x" * 5000)
    reply = one(engine(max_attempts=2))
    assert reply.text == ""
    assert reply.error.startswith(
        "no reply after 2 tries: the reply is no chat completion: <h1>[31mMaintenance"
    )
    assert len(reply.error) < 400


# --- what goes wrong --------------------------------------------------------------------------


@pytest.mark.parametrize("status", [408, 409, 425, 429, 500, 502, 503, 504, 529])
def test_a_busy_server_is_asked_again(status: int, server: FaultServer, engine: Make) -> None:
    server.script = lambda r: error(status, "busy") if r.try_number == 1 else completion()
    assert one(engine()).text == "fine"
    assert len(server.received) == 2


def test_the_pause_is_at_least_what_the_server_asks_for(server: FaultServer, engine: Make) -> None:
    arrivals: list[float] = []

    def script(received: Received) -> Reply:
        arrivals.append(time.monotonic())
        if received.try_number < 3:
            return error(429, "slow down", retry_after="0.4")
        return completion()

    server.script = script
    assert one(engine()).text == "fine"
    assert arrivals[1] - arrivals[0] >= 0.4
    assert arrivals[2] - arrivals[1] >= 0.4


@pytest.mark.parametrize("asked", ["soon", "-1", "nan", "Wed, 21 Oct 2015 07:28:00 GMT", ""])
def test_a_pause_that_is_no_number_is_none(asked: str, server: FaultServer, engine: Make) -> None:
    server.script = lambda r: (
        error(429, "busy", retry_after=asked) if r.try_number == 1 else completion()
    )
    assert one(engine()).text == "fine"


def test_a_server_that_stays_busy_is_given_up_after_the_set_tries(
    server: FaultServer, engine: Make
) -> None:
    server.script = lambda r: error(503, "warming up") if r.user == "a" else completion()
    replies = chat(engine(), [request("a"), request("b")])
    assert replies[0].error == "no reply after 3 tries: status 503: warming up"
    assert replies[1].text == "fine"
    assert [r.user for r in server.received].count("a") == 3


def test_a_server_that_hangs_is_left_after_the_deadline(server: FaultServer, engine: Make) -> None:
    def hang_once(received: Received) -> Reply:
        if received.try_number == 1:
            server.closing.wait()
        return completion("at last")

    server.script = hang_once
    assert one(engine(timeout_seconds=0.5)).text == "at last"

    def hang(received: Received) -> Reply:
        server.closing.wait()
        return completion()

    server.script = hang
    reply = chat(engine(timeout_seconds=0.3, max_attempts=2), [request("other")])[0]
    assert reply.error == "no reply after 2 tries: no reply within 0.3 s"


def test_the_deadline_is_for_the_whole_reply_not_for_each_byte(
    server: FaultServer, engine: Make
) -> None:
    def drip(connection: socket.socket) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")
        try:
            while not server.closing.wait(0.05):
                connection.sendall(b" ")
        except OSError:
            pass  # the client has left, as it should

    server.script = lambda received: drip
    reply = one(engine(timeout_seconds=0.6, max_attempts=1))
    assert "no reply within 0.6 s" in reply.error


@pytest.mark.parametrize(
    "fault",
    [
        lambda: reset,
        lambda: lambda connection: connection.close(),
        lambda: Reply(completion().body[:30], announced=500),
        lambda: lambda connection: connection.sendall(b"no http at all\r\n\r\n"),
        lambda: Reply(b"no gzip", headers={"content_encoding": "gzip"}),
    ],
    ids=["reset", "closed", "truncated", "no HTTP", "bad gzip"],
)
def test_a_broken_connection_is_tried_again(
    fault: Callable[[], Any], server: FaultServer, engine: Make
) -> None:
    server.script = lambda r: fault() if r.try_number == 1 else completion("second try")
    assert one(engine()).text == "second try"
    server.script = lambda r: fault()
    reply = chat(engine(max_attempts=2), [request("other")])[0]
    assert reply.error.startswith("no reply after 2 tries: the connection to ")


def test_a_request_that_the_server_refuses_fails_alone_and_at_once(
    server: FaultServer, engine: Make
) -> None:
    def script(received: Received) -> Reply:
        if received.user == "bad":
            return error(400, "This model's maximum context length is 10 tokens.")
        return completion(received.user)

    server.script = script
    replies = chat(engine(), [request(user) for user in ("a", "bad", "b", "c")])
    assert [reply.text for reply in replies] == ["a", "", "b", "c"]
    assert replies[1].finish_reason == "error"
    assert replies[1].error == "status 400: This model's maximum context length is 10 tokens."
    assert [r.user for r in server.received].count("bad") == 1


@pytest.mark.parametrize(
    ("status", "remedy"),
    [(401, "api_key_env"), (403, "api_key_env"), (404, "base_url"), (405, "base_url")],
)
def test_what_no_request_can_mend_ends_the_work_with_the_remedy(
    status: int, remedy: str, server: FaultServer, engine: Make
) -> None:
    server.script = lambda received: error(status, "No such thing.")
    with pytest.raises(WorkError, match=remedy) as caught:
        chat(engine(), [request(str(number)) for number in range(50)])
    message = str(caught.value)
    assert server.base_url in message
    assert f"status {status}" in message
    assert "No such thing." in message
    assert len(server.received) <= 8  # the lanes that were under way, not all fifty


def test_a_server_that_is_gone_is_named_after_the_set_tries(
    server: FaultServer, engine: Make
) -> None:
    made = engine(max_attempts=2)
    server.close()
    with pytest.raises(WorkError, match="no reply after 2 tries") as caught:
        one(made)
    assert f"{server.base_url}/chat/completions is not reachable" in str(caught.value)
    assert "Start the server" in str(caught.value)


def test_a_server_that_goes_away_costs_no_reply_that_had_come(
    server: FaultServer, engine: Make
) -> None:
    def go_after_five(received: Received) -> Any:
        if len(server.received) <= 5:
            return completion()
        threading.Thread(target=server.close).start()
        server.closing.wait()
        return reset

    server.script = go_after_five
    made = engine(max_attempts=3, concurrency=1)
    found: list[tuple[int, str]] = []
    replies = made.chat([request(str(number)) for number in range(100)])
    with pytest.raises(WorkError, match="not reachable"):
        found.extend((position, reply.text) for position, reply in replies)
    assert found == [(number, "fine") for number in range(5)]


# --- many at once -----------------------------------------------------------------------------


def test_the_set_number_of_requests_is_under_way_and_never_more(
    server: FaultServer, engine: Make
) -> None:
    together = threading.Barrier(6)

    def meet(received: Received) -> Reply:
        together.wait(60)  # goes on only if six requests are here at the same time
        return completion(received.user)

    server.script = meet
    replies = chat(engine(concurrency=6), [request(str(number)) for number in range(36)])
    assert [reply.text for reply in replies] == [str(number) for number in range(36)]
    assert server.most_at_once == 6


class Counted(Sequence[ChatRequest]):
    """Requests that are made when they are taken, and how many have been."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.taken = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, position: Any) -> Any:
        if position >= self.count:
            raise IndexError(position)
        self.taken += 1
        return request(str(position))

    def __iter__(self) -> Iterator[ChatRequest]:
        return (self[position] for position in range(self.count))


def test_two_thousand_requests_are_taken_one_by_one(server: FaultServer, engine: Make) -> None:
    lanes, ahead = 32, []
    requests = Counted(2000)

    def script(received: Received) -> Reply:
        ahead.append(requests.taken - len(server.received))
        return completion(received.user)

    server.script = script
    found = dict(engine(concurrency=lanes).chat(requests))
    assert {position: reply.text for position, reply in found.items()} == {
        number: str(number) for number in range(2000)
    }
    assert max(ahead) <= lanes
    assert server.most_at_once <= lanes
    assert len(server.received) == 2000


def test_no_requests_are_no_replies(server: FaultServer, engine: Make) -> None:
    assert list(engine().chat([])) == []
    assert server.received == []


# --- leaving early ----------------------------------------------------------------------------


def test_a_stop_is_noticed_while_no_reply_comes(server: FaultServer, engine: Make) -> None:
    def hang(received: Received) -> Reply:
        server.closing.wait()
        return completion()

    def stop_when_all_hang() -> None:
        if len(server.received) == 4:
            raise Requeue("asked to stop")

    server.script = hang
    made = engine(timeout_seconds=250)
    with pytest.raises(Requeue):
        list(made.chat([request(str(n)) for n in range(9)], stop_when_all_hang))
    assert len(server.received) == 4


def test_a_stop_is_noticed_in_a_pause_between_tries(server: FaultServer, engine: Make) -> None:
    server.script = lambda received: error(429, "later", retry_after="250")

    def stop_after_the_first_try() -> None:
        if server.received:
            raise Requeue("asked to stop")

    with pytest.raises(Requeue):
        list(engine().chat([request()], stop_after_the_first_try))


@pytest.mark.parametrize("lanes", [1, 2, 8, 32])
def test_leaving_the_loop_leaves_no_thread_and_asks_no_more(
    lanes: int, server: FaultServer, engine: Make
) -> None:
    """Replies that arrive in the very moment of leaving must not keep a lane going."""
    made = engine(concurrency=lanes)
    for first in range(5):
        server.received.clear()
        replies = made.chat([request(f"{first}.{number}") for number in range(1000)])
        next(replies)
        replies.close()  # type: ignore[attr-defined]
        assert "requests" not in {thread.name for thread in threading.enumerate()}
        assert len(server.received) < 1000
