"""One chat completion as HTTP: the body that is sent, and what each kind of reply means.

A server's words are hostile input: they are cut, cleaned, and searched for the key before they
become part of a message.
"""

from __future__ import annotations

import ipaddress
import json
import os
from typing import TYPE_CHECKING, Any

from mmi_hpc.errors import ConfigError, WorkError
from mmi_hpc.llm.protocol import ChatReply, ChatRequest
from mmi_hpc.llm.settings import LlmSettings

if TYPE_CHECKING:
    import httpx

# With every 5xx, what says "not now"; every other 4xx says "never like this".
_BUSY = frozenset({408, 409, 425, 429})
_SERVER_ERRORS = 500
_HOPELESS = {
    401: "the key is missing or wrong (settings: api_key_env)",
    402: "the account has no credit left",
    403: "the key may not use this model (settings: api_key_env)",
    404: "there is no such model or address (settings: model, base_url)",
    405: "this address takes no chat requests (settings: base_url)",
}
_LONGEST_EXCERPT = 300
# Larger token counts than this are no counts, and do not fit into a record.
_LARGEST_COUNT = 2**53
_LARGEST_PORT = 65535


class BusyError(Exception):
    """No usable reply this time; another try may get one.

    Attributes:
        wait: What the server asked for, in seconds, or None.
        unreachable: Whether there was no server to talk to.
    """

    def __init__(
        self, reason: str, *, wait: float | None = None, unreachable: bool = False
    ) -> None:
        super().__init__(reason)
        self.wait = wait
        self.unreachable = unreachable


def read_key(settings: LlmSettings) -> str:
    """The key from the environment, or "" when the settings name none.

    Raises:
        ConfigError: It cannot stand in a header. The message does not show it.
    """
    key = os.environ.get(settings.api_key_env, "").strip() if settings.api_key_env else ""
    if not all("!" <= character <= "~" for character in key):
        raise ConfigError(
            f"the variable {settings.api_key_env} holds blanks, line ends or other characters "
            "that no key has. Set it to the key alone."
        )
    return key


def host(url: str) -> str:
    """The host of an address.

    Raises:
        ConfigError: It is no address.
    """
    import httpx

    try:
        parsed = httpx.URL(url)
        if not 0 < (parsed.port or 1) <= _LARGEST_PORT:
            raise ValueError(f"there is no port {parsed.port}")
        return parsed.host
    except (httpx.InvalidURL, ValueError) as error:
        raise ConfigError(f"base_url: {url} is no address: {error}.") from error


def is_this_machine(host: str) -> bool:
    """Whether a host name or address means the machine itself."""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
    return address.is_loopback or address.is_unspecified


def body(request: ChatRequest, settings: LlmSettings) -> dict[str, Any]:
    """The JSON body of a chat request."""
    return {
        "model": settings.model,
        "messages": request.messages(),
        "temperature": settings.temperature,
        "top_p": settings.top_p,
        "max_tokens": settings.max_tokens,
        "seed": request.seed,
    }


def read(response: httpx.Response, url: str, key: str) -> ChatReply:
    """Turn a response into a reply; one with `error` set when this request can never succeed.

    Raises:
        BusyError: Another try may succeed.
        WorkError: No request can succeed with these settings.
    """
    status = response.status_code
    if response.is_success:
        return _completion(response, key)
    said = _said(response, key)
    if status in _BUSY or status >= _SERVER_ERRORS:
        raise BusyError(f"status {status}: {said}", wait=_retry_after(response))
    if response.is_redirect:
        raise WorkError(
            f"{url} sends requests on to {_tidy(response.headers.get('location', ''), key)}: "
            "that is not followed. Set base_url to the server's own address."
        )
    if status in _HOPELESS:
        raise WorkError(
            f"{url} answered with status {status}: {_HOPELESS[status]}. The server said: {said}"
        )
    return ChatReply("", "error", "", error=f"status {status}: {said}")


def _completion(response: httpx.Response, key: str) -> ChatReply:
    """Take a reply apart; a cut-off body is worth another try, as a busy server is."""
    try:
        content = json.loads(response.content)
        choice = content["choices"][0]
        usage = content.get("usage") or {}
        return ChatReply(
            text=_text(choice["message"].get("content")),
            finish_reason=_text(choice.get("finish_reason")) or "stop",
            model=_text(content.get("model")),
            prompt_tokens=_count(usage.get("prompt_tokens")),
            answer_tokens=_count(usage.get("completion_tokens")),
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise BusyError(f"the reply is no chat completion: {_said(response, key)}") from error


def _text(value: Any) -> str:
    """A text as it can be stored: JSON may hold halves of characters, which UTF-8 may not."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value.encode("utf-8", "replace").decode()


def _count(value: Any) -> int:
    return value if type(value) is int and 0 <= value <= _LARGEST_COUNT else 0


def _said(response: httpx.Response, key: str) -> str:
    """The server's own explanation: the message of its error, else the start of the body."""
    content = response.content
    try:
        error = json.loads(content)["error"]
        said = str(error["message"] if isinstance(error, dict) else error)
    except (ValueError, LookupError, TypeError, RecursionError):
        said = content[: 20 * _LONGEST_EXCERPT].decode("utf-8", "replace")
    return _tidy(said, key) or "(nothing)"


def _tidy(said: str, key: str) -> str:
    line = " ".join(said.encode("utf-8", "replace").decode().split())
    hidden = line.replace(key, "***") if key else line
    return "".join(c for c in hidden if c.isprintable())[:_LONGEST_EXCERPT]


def _retry_after(response: httpx.Response) -> float | None:
    """Seconds that the server asks for, as a number; the form with a date is not in use."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
