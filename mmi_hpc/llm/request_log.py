"""Every reply is recorded before it is used, and a usable one is never asked for again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from mmi_hpc.data.records import decode, encode
from mmi_hpc.files import complete_lines
from mmi_hpc.llm.protocol import STRICT, ChatReply


@dataclass(frozen=True)
class RecordedReply:
    """One line of a segment."""

    key: str
    reply: ChatReply

    __pydantic_config__ = STRICT


def any_reply(_: ChatReply) -> bool:
    """Every reply is usable."""
    return True


class RequestLog:
    """Reads the segments of earlier attempts, and appends to its own.

    Only complete lines count: a torn one was left by a writer that died. Of several replies to
    one request the first usable one counts, in the order of the attempts.

    A reply that the caller cannot use (empty, cut off, not to be parsed) ends in a failed record.
    If a later attempt took it over, trying that record again would read the same reply for ever.
    So it stays in its segment but is not known to later attempts, which ask again. Within one
    attempt a request is asked once, whatever comes back.

    Args:
        earlier: Segments of earlier attempts, oldest first.
        own: The segment that only this attempt writes; created with the first reply.
        usable: Whether a reply of an earlier attempt is taken over.
    """

    def __init__(
        self,
        earlier: Iterable[Path],
        own: Path,
        usable: Callable[[ChatReply], bool] = any_reply,
    ) -> None:
        self._own = own
        self._known: dict[str, ChatReply] = {}
        for segment in earlier:
            for number, line in enumerate(complete_lines(segment), 1):
                recorded = decode(RecordedReply, line, f"{segment}:{number}")
                if recorded.key not in self._known and usable(recorded.reply):
                    self._known[recorded.key] = recorded.reply

    def get(self, key: str) -> ChatReply | None:
        """The recorded reply to a request, or None if it is to be asked."""
        return self._known.get(key)

    def record(self, replies: Iterable[tuple[str, ChatReply]]) -> None:
        """Append replies and wait until they are on disk.

        Raises:
            OSError: They do not fit; the segment is as it was before.
        """
        new = [RecordedReply(key, reply) for key, reply in replies]
        if not new:
            return
        _append(self._own, b"".join(encode(recorded) for recorded in new))
        for recorded in new:
            self._known.setdefault(recorded.key, recorded.reply)


def _append(path: Path, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        before = os.fstat(descriptor).st_size
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
            os.fsync(descriptor)
        except OSError:
            # The next line must not continue half of this one.
            with suppress(OSError):
                os.ftruncate(descriptor, before)
            raise
    finally:
        os.close(descriptor)
