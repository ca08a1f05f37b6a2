"""Asks an engine what the log does not know yet, and gives all replies in the requests' order."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence

from mmi_hpc.errors import ConfigError
from mmi_hpc.llm.openai_http import read_key
from mmi_hpc.llm.protocol import ChatReply, ChatRequest, Engine
from mmi_hpc.llm.request_log import RequestLog
from mmi_hpc.llm.settings import LlmSettings

# Replies wait at most this long in memory before they are on disk.
_FLUSH_SECONDS = 1.0


def make_engine(settings: LlmSettings) -> Engine:
    """The engine that the settings name."""
    if settings.engine == "rules":
        from mmi_hpc.llm.rules_engine import RulesEngine

        return RulesEngine()
    from mmi_hpc.llm.openai_engine import OpenAIEngine

    return OpenAIEngine(settings)


def ask(
    requests: Sequence[ChatRequest],
    settings: LlmSettings,
    log: RequestLog,
    check_stop: Callable[[], None],
) -> list[ChatReply]:
    """Return one reply per request, in their order.

    Errors (a request that the server refuses for good, or that stayed unanswered after every
    attempt) come back as replies with `error` set and are not recorded.

    Args:
        requests: Equal requests are asked once.
        settings: Model and sampling.
        log: Recorded replies, to which new ones are added.
        check_stop: Called several times a second; raises to leave, and every reply that has
            arrived by then is recorded.

    Raises:
        WorkError: The server cannot be used at all.
    """
    keys = [request.key(settings) for request in requests]
    open_requests = {
        key: request for key, request in zip(keys, requests, strict=True) if log.get(key) is None
    }
    errors: dict[str, ChatReply] = {}
    if open_requests:
        _ask_open(open_requests, make_engine(settings), log, errors, check_stop)
    return [log.get(key) or errors[key] for key in keys]


def check(settings: LlmSettings, where: str) -> None:
    """Look for missing names and keys before anything starts.

    Raises:
        ConfigError: The model has no name, or its key's variable is not set or holds no key.
    """
    if settings.engine == "rules":
        return
    if not settings.model:
        raise ConfigError(f"{where}.model: name the model that {settings.base_url} serves.")
    if settings.api_key_env and not os.environ.get(settings.api_key_env):
        raise ConfigError(
            f"{where}.api_key_env: the variable {settings.api_key_env} is not set. "
            f"Set it first: export {settings.api_key_env}=..."
        )
    read_key(settings)


def _ask_open(
    requests: dict[str, ChatRequest],
    engine: Engine,
    log: RequestLog,
    errors: dict[str, ChatReply],
    check_stop: Callable[[], None],
) -> None:
    keys = list(requests)
    waiting: list[tuple[str, ChatReply]] = []
    flushed = time.monotonic()

    def tick() -> None:
        nonlocal flushed
        if time.monotonic() - flushed >= _FLUSH_SECONDS:
            log.record(waiting)
            waiting.clear()
            flushed = time.monotonic()
        check_stop()

    try:
        for position, reply in engine.chat(list(requests.values()), tick):
            if reply.error:
                errors[keys[position]] = reply
            else:
                waiting.append((keys[position], reply))
    finally:
        log.record(waiting)
