"""Any OpenAI-compatible server: concurrent requests, bounded retries, one deadline per try."""

from __future__ import annotations

import asyncio
import logging
import queue
import threading
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from mmi_hpc.errors import WorkError
from mmi_hpc.llm import openai_http
from mmi_hpc.llm.openai_http import BusyError
from mmi_hpc.llm.protocol import ChatReply, ChatRequest, no_tick
from mmi_hpc.llm.settings import LlmSettings

if TYPE_CHECKING:
    import httpx
    from tenacity import RetryCallState

# How often a wait looks up, in seconds: the longest time in which a stop goes unnoticed.
_LOOK_UP_SECONDS = 0.1
_LONGEST_PAUSE = 60.0
# A machine that does not take the connection by now will not later.
_CONNECT_SECONDS = 30.0


class OpenAIEngine:
    """Talks to `base_url`/chat/completions.

    Args:
        settings: Model, sampling and limits. The key is read from the environment here and kept
            out of every file, message and argument list.

    Raises:
        ConfigError: The address is none, or the key holds characters that no key has.
    """

    def __init__(self, settings: LlmSettings) -> None:
        self._settings = settings
        self._key = openai_http.read_key(settings)
        self._url = settings.base_url.rstrip("/") + "/chat/completions"
        self._trust_env = not openai_http.is_this_machine(openai_http.host(self._url))
        # One line per request would bury a worker's own log.
        logging.getLogger("httpx").setLevel(logging.WARNING)

    def chat(
        self, requests: Sequence[ChatRequest], tick: Callable[[], None] = no_tick
    ) -> Iterator[tuple[int, ChatReply]]:
        """Yield replies as they arrive; the event loop lives in a thread of its own.

        Raises:
            WorkError: There is no server, or it refuses the key, the model or the address.
        """
        done: queue.SimpleQueue[tuple[int, ChatReply] | BaseException | None] = queue.SimpleQueue()
        leave = threading.Event()

        def work() -> None:
            try:
                asyncio.run(self._chat(requests, done.put, leave))
            except BaseException as error:
                done.put(error)
            else:
                done.put(None)

        thread = threading.Thread(target=work, name="requests", daemon=True)
        thread.start()
        try:
            yield from _until_end(done, tick)
        except GeneratorExit:
            raise
        except BaseException:
            leave.set()
            thread.join()
            yield from _rest(done)  # what has arrived is paid for
            raise
        finally:
            leave.set()
            thread.join()

    async def _chat(
        self,
        requests: Sequence[ChatRequest],
        put: Callable[[tuple[int, ChatReply]], None],
        leave: threading.Event,
    ) -> None:
        pending = iter(enumerate(requests))

        async def lane(client: httpx.AsyncClient) -> None:
            for position, request in pending:
                if leave.is_set():
                    return
                put((position, await self._one(client, request)))

        async with self._client() as client:
            count = min(self._settings.concurrency, len(requests))
            await _run_until(leave, [lane(client) for _ in range(count)])

    def _client(self) -> httpx.AsyncClient:
        import httpx

        limit = self._settings.timeout_seconds
        return httpx.AsyncClient(
            headers={"Authorization": f"Bearer {self._key}"} if self._key else {},
            limits=httpx.Limits(max_connections=self._settings.concurrency),
            timeout=httpx.Timeout(limit, connect=min(limit, _CONNECT_SECONDS)),
            trust_env=self._trust_env,  # a site's proxy cannot reach this machine's own server
        )

    async def _one(self, client: httpx.AsyncClient, request: ChatRequest) -> ChatReply:
        """One request with its retries.

        Raises:
            WorkError: As `chat`.
        """
        from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt

        tries = self._settings.max_attempts
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(BusyError),
            stop=stop_after_attempt(tries),
            wait=_pause,
            reraise=True,
        )
        try:
            return await retrying(self._post, client, request)
        except BusyError as error:
            reason, unreachable = f"no reply after {tries} tries: {error}", error.unreachable
        if unreachable:
            raise WorkError(f"{reason}. Start the server or correct base_url, then run again.")
        return ChatReply(text="", finish_reason="error", model="", error=reason)

    async def _post(self, client: httpx.AsyncClient, request: ChatRequest) -> ChatReply:
        import httpx

        limit = self._settings.timeout_seconds
        body = openai_http.body(request, self._settings)
        try:
            # httpx limits the silence between two bytes; this limits the whole reply.
            response = await asyncio.wait_for(client.post(self._url, json=body), limit)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            reason = f"{self._url} is not reachable: {error or type(error).__name__}"
            raise BusyError(reason, unreachable=True) from error
        except (asyncio.TimeoutError, httpx.TimeoutException) as error:
            raise BusyError(f"no reply within {limit:g} s") from error
        except httpx.RequestError as error:
            name = type(error).__name__
            raise BusyError(f"the connection to {self._url} broke: {name}: {error}") from error
        return openai_http.read(response, self._url, self._key)


async def _run_until(leave: threading.Event, lanes: list[Coroutine[Any, Any, None]]) -> None:
    """Run the lanes until all have ended, one has raised, or `leave` is set."""
    tasks = [asyncio.create_task(lane) for lane in lanes]
    running = set(tasks)
    try:
        while running and not leave.is_set():
            ended, running = await asyncio.wait(
                running, timeout=_LOOK_UP_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            for task in ended:
                task.result()
    finally:
        leave.set()
        # Once is not enough: a reply that arrives just then swallows it (wait_for, Python < 3.12).
        while running := {task for task in tasks if not task.done()}:
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=_LOOK_UP_SECONDS)
        await asyncio.gather(*tasks, return_exceptions=True)


def _until_end(
    done: queue.SimpleQueue[tuple[int, ChatReply] | BaseException | None],
    tick: Callable[[], None],
) -> Iterator[tuple[int, ChatReply]]:
    while True:
        tick()
        try:
            item = done.get(timeout=_LOOK_UP_SECONDS)
        except queue.Empty:
            continue
        if item is None:
            return
        if isinstance(item, BaseException):
            raise item
        yield item


def _rest(
    done: queue.SimpleQueue[tuple[int, ChatReply] | BaseException | None],
) -> Iterator[tuple[int, ChatReply]]:
    while not done.empty():
        if isinstance(item := done.get(), tuple):
            yield item


def _pause(state: RetryCallState) -> float:
    """What the server asked for, else exponential back-off with jitter, in seconds."""
    from tenacity import wait_random_exponential

    error = state.outcome.exception() if state.outcome else None
    asked = error.wait if isinstance(error, BusyError) else None
    if asked is not None:
        return min(asked, _LONGEST_PAUSE)
    return wait_random_exponential(multiplier=0.5, max=_LONGEST_PAUSE)(state)
