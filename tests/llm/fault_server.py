"""A chat server that fails on demand: real HTTP on this machine, every answer scripted.

A script maps one received request to what happens to it: a `Reply`, or a function that gets the
raw connection. Each connection has a thread of its own; all end with `close`.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    """One request as it came in."""

    path: str
    headers: dict[str, str]
    body: dict[str, Any]
    try_number: int

    @property
    def user(self) -> Any:
        """The content of the user turn."""
        return self.body["messages"][-1]["content"]


@dataclass(frozen=True)
class Reply:
    """One answer; `announced` is a length that the body does not have."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    announced: int | None = None


Script = Callable[[Received], "Reply | Callable[[socket.socket], None]"]


def completion(text: str | None = "fine", **others: Any) -> Reply:
    """A regular reply; `others` replace or add top-level members, None leaves one out."""
    body = {
        "model": "served-model",
        "choices": [
            {"message": {"role": "assistant", "content": text}, "finish_reason": "stop"},
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7},
        **others,
    }
    return Reply(json.dumps({k: v for k, v in body.items() if v is not None}).encode())


def error(status: int, message: str, **headers: str) -> Reply:
    """An error as OpenAI words it."""
    return Reply(json.dumps({"error": {"message": message}}).encode(), status, headers)


def reset(connection: socket.socket) -> None:
    """Break the connection as a killed server does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


class FaultServer:
    """Listens on a free port of 127.0.0.1 and follows its script.

    Attributes:
        script: What happens to a request; may be replaced at any time.
        received: All requests, in the order of their arrival.
        most_at_once: The largest number of requests that were under way together.
        closing: Set when the server is about to go; scripts that wait should wait for it.
    """

    def __init__(self) -> None:
        self.script: Script = lambda request: completion()
        self.received: list[Received] = []
        self.most_at_once = 0
        self.closing = threading.Event()
        self._lock = threading.Lock()
        self._now = 0
        self._tries: Counter[str] = Counter()
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._http.server_address[1])

    @property
    def base_url(self) -> str:
        """As a setting."""
        return f"http://127.0.0.1:{self.port}/v1"

    def close(self) -> None:
        """Stop listening and end every thread."""
        self.closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def enter(self, path: str, headers: dict[str, str], content: bytes) -> Received:
        """Take note of a request that begins."""
        with self._lock:
            self._tries[content.decode()] += 1
            tries = self._tries[content.decode()]
            received = Received(path, headers, json.loads(content), tries)
            self.received.append(received)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        return received

    def leave(self) -> None:
        """Take note of a request that is about to be answered."""
        with self._lock:
            self._now -= 1


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave early are part of the tests."""


def _handler(server: FaultServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            received = server.enter(self.path, headers, content)
            try:
                outcome = server.script(received)
            finally:
                server.leave()
            if isinstance(outcome, Reply):
                self._answer(outcome)
            else:
                self.close_connection = True
                outcome(self.connection)

        def _answer(self, reply: Reply) -> None:
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name.replace("_", "-"), value)
            length = len(reply.body) if reply.announced is None else reply.announced
            self.send_header("content-length", str(length))
            self.end_headers()
            self.wfile.write(reply.body)
            self.wfile.flush()
            if length != len(reply.body):
                self.close_connection = True

        def log_message(self, *_: Any) -> None:
            """The test's output stays readable."""

    return Handler
