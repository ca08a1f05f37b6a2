"""Leases: who may work on a shard, decided by files alone, safe on NFS and with wrong clocks.

A lease is one file per generation, `lease/00042.0`, created if-absent and never changed. Whoever
finds its holder gone creates the next generation, `00042.1`; the file system lets exactly one
succeed. Nothing of another's is ever renamed, overwritten or removed, so a holder that was paused
and wakes up can do no harm: it sees the next generation and drops its work.

A holder shows life by a counter in its own file `workers/<id>.json`. Others judge by their own
clock: a counter that they have seen unchanged for `stale_seconds` belongs to a dead worker.
"""

from __future__ import annotations

import os
import secrets
import socket
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.files import dump_json, load_json, publish, replace


def new_worker_id() -> str:
    """A name that no other worker has: host, process and eight random digits."""
    host = socket.gethostname().split(".")[0]
    return f"{host}-{os.getpid()}-{secrets.token_hex(4)}"


class Heartbeat:
    """Writes this worker's counter from a thread until it is stopped."""

    def __init__(self, folder: Path, worker: str, seconds: float) -> None:
        self._path = folder / f"{worker}.json"
        self._seconds = seconds
        self._beat = 0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Heartbeat:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._write("alive")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._write("left")

    def _run(self) -> None:
        while not self._stop.wait(self._seconds):
            # A full disk must not end the thread: the next beat may find room again.
            try:
                self._write("alive")
            except OSError:
                continue

    def _write(self, state: str) -> None:
        self._beat += 1
        replace(self._path, dump_json({"beat": self._beat, "state": state}))


def declare_left(folder: Path, worker: str) -> None:
    """Say that a worker is gone, by whoever has seen its process end."""
    folder.mkdir(parents=True, exist_ok=True)
    replace(folder / f"{worker}.json", dump_json({"beat": -1, "state": "left"}))


class Observer:
    """Watches other workers' counters by this process's own clock."""

    def __init__(self, folder: Path, stale_seconds: float) -> None:
        self._folder = folder
        self._stale = stale_seconds
        self._seen: dict[str, tuple[int, float]] = {}

    def is_gone(self, worker: str) -> bool:
        """True when the worker has left, or its counter stood still for `stale_seconds`."""
        try:
            status = load_json(self._folder / f"{worker}.json")
            beat, left = int(status["beat"]), status["state"] == "left"
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            beat, left = -1, False
        if left:
            return True
        now = time.monotonic()
        known = self._seen.get(worker)
        if known is None or known[0] != beat:
            self._seen[worker] = (beat, now)
            return False
        return now - known[1] >= self._stale


@dataclass(frozen=True)
class Lease:
    """The right to work on one shard, as long as no next generation exists."""

    folder: StageFolder
    shard: int
    generation: int

    def is_held(self) -> bool:
        """Whether nobody has taken the shard over."""
        return not _lease_path(self.folder, self.shard, self.generation + 1).exists()


def acquire(folder: StageFolder, shard: int, worker: str, observer: Observer) -> Lease | None:
    """Take the lease of a shard, or return None while somebody else holds it."""
    generation = 0
    while _lease_path(folder, shard, generation).exists():
        generation += 1
    if generation > 0 and not _is_free(folder, shard, generation - 1, observer):
        return None
    path = _lease_path(folder, shard, generation)
    return (
        Lease(folder, shard, generation) if publish(path, dump_json({"worker": worker})) else None
    )


def _is_free(folder: StageFolder, shard: int, generation: int, observer: Observer) -> bool:
    if folder.is_over(shard, generation):
        return True
    try:
        holder = str(load_json(_lease_path(folder, shard, generation))["worker"])
    except FileNotFoundError:
        return False
    return observer.is_gone(holder)


def _lease_path(folder: StageFolder, shard: int, generation: int) -> Path:
    return folder.path / "lease" / f"{shard:05d}.{generation}"
