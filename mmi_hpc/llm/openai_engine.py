"""Any OpenAI-compatible server: concurrent requests, bounded retries, one deadline per request."""

from __future__ import annotations

import asyncio
import os
import queue
import threading
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mmi_hpc.errors import WorkError
from mmi_hpc.llm.protocol import ChatReply, ChatRequest
from mmi_hpc.llm.settings import LlmSettings

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

# Statuses that say "not now"; every other 4xx says "never like this".
_TRANSIENT = frozenset({408, 409, 425, 429, 500, 502, 503, 504})
_HOPELESS = {
    401: "the key is missing or wrong (settings: api_key_env)",
    403: "the key may not use this model (settings: api_key_env)",
    404: "there is no such model or address (settings: model, base_url)",
}
_LONGEST_WAIT = 60.0


class _BusyError(Exception):
    """The server cannot answer now; `wait` is what it asked for, in seconds, or None."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class OpenAIEngine:
    """Talks to `base_url`/chat/completions.

    Args:
        settings: Model, sampling and limits. The key is read from the environment here and kept
            out of every file and argument list.
    """

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        key = os.environ.get(settings.api_key_env, "") if settings.api_key_env else ""
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def chat(self, requests: Sequence[ChatRequest]) -> Iterator[tuple[int, ChatReply]]:
        """Yield replies as they arrive; the event loop lives in a thread of its own.

        Raises:
            WorkError: The server refuses the key, the model or the address.
        """
        done: queue.Queue[tuple[int, ChatReply] | BaseException | None] = queue.Queue()
        leave = threading.Event()

        def work() -> None:
            try:
                asyncio.run(self._chat(requests, done, leave))
            except BaseException as error:
                done.put(error)
            else:
                done.put(None)

        thread = threading.Thread(target=work, name="requests", daemon=True)
        thread.start()
        try:
            while (item := done.get()) is not None:
                if isinstance(item, BaseException):
                    raise item
                yield item
        finally:
            leave.set()
            thread.join()

    async def _chat(
        self,
        requests: Sequence[ChatRequest],
        done: queue.Queue[Any],
        leave: threading.Event,
    ) -> None:
        import httpx

        pending = iter(enumerate(requests))
        limits = httpx.Limits(max_connections=self._settings.concurrency)
        async with httpx.AsyncClient(
            headers=self._headers, limits=limits, timeout=self._settings.timeout_seconds
        ) as client:

            async def lane() -> None:
                for position, request in pending:
                    if leave.is_set():
                        return
                    done.put((position, await self._one(client, request)))

            lanes = [asyncio.create_task(lane()) for _ in range(self._settings.concurrency)]
            watch = asyncio.create_task(_cancel_when(leave, lanes))
            try:
                await asyncio.gather(*lanes)
            except asyncio.CancelledError:
                if not leave.is_set():
                    raise
            finally:
                watch.cancel()
                for task in lanes:
                    task.cancel()

    async def _one(self, client: httpx.AsyncClient, request: ChatRequest) -> ChatReply:
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(_BusyError),
            stop=stop_after_attempt(self._settings.max_attempts),
            wait=_pause,
            reraise=True,
        )
        try:
            async for attempt in retrying:
                with attempt:
                    return await self._post(client, request)
        except _BusyError as error:
            tries = self._settings.max_attempts
            return _failed(f"no reply after {tries} tries: {error}")
        raise AssertionError("a retry loop ends with a reply or an error")

    async def _post(self, client: httpx.AsyncClient, request: ChatRequest) -> ChatReply:
        import httpx

        body = {
            "model": self._settings.model,
            "messages": request.messages(),
            "temperature": self._settings.temperature,
            "top_p": self._settings.top_p,
            "max_tokens": self._settings.max_tokens,
            "seed": request.seed,
        }
        url = self._settings.base_url.rstrip("/") + "/chat/completions"
        try:
            response = await asyncio.wait_for(
                client.post(url, json=body), self._settings.timeout_seconds
            )
        except (asyncio.TimeoutError, httpx.TimeoutException) as error:
            limit = self._settings.timeout_seconds
            raise _BusyError(f"no reply within {limit:g} s") from error
        except httpx.TransportError as error:
            raise _BusyError(f"{url} is not reachable: {error or type(error).__name__}") from error
        if response.status_code in _TRANSIENT:
            raise _BusyError(f"status {response.status_code}", _retry_after(response))
        if response.status_code in _HOPELESS:
            raise WorkError(
                f"{url} answered with status {response.status_code}: "
                f"{_HOPELESS[response.status_code]}. The server said: {response.text[:300]}"
            )
        if response.status_code != httpx.codes.OK:
            return _failed(f"status {response.status_code}: {response.text[:300]}")
        return _parse(response)


async def _cancel_when(leave: threading.Event, tasks: list[asyncio.Task[None]]) -> None:
    while not leave.is_set():
        await asyncio.sleep(0.1)
    for task in tasks:
        task.cancel()


def _pause(state: RetryCallState) -> float:
    """What the server asked for, else exponential back-off with jitter, in seconds."""
    from tenacity import wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, _BusyError) else None
    if asked is not None:
        return min(asked, _LONGEST_WAIT)
    return wait_random_exponential(multiplier=0.5, max=_LONGEST_WAIT)(state)


def _retry_after(response: httpx.Response) -> float | None:
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None


def _parse(response: httpx.Response) -> ChatReply:
    """Take a reply apart; a cut-off body is worth another try, as a busy server is."""
    try:
        body = response.json()
        choice = body["choices"][0]
        text = choice["message"]["content"] or ""
        usage = body.get("usage") or {}
        return ChatReply(
            text=str(text),
            finish_reason=str(choice.get("finish_reason") or "stop"),
            model=str(body.get("model") or ""),
            prompt_tokens=int(usage.get("prompt_tokens") or 0),
            answer_tokens=int(usage.get("completion_tokens") or 0),
        )
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _BusyError(f"the reply is no chat completion: {response.text[:200]}") from error


def _failed(reason: str) -> ChatReply:
    return ChatReply(text="", finish_reason="error", model="", error=reason)
