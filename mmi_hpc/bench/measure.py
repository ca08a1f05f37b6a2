"""Competitors side by side: rounds in turn, so that what the machine does meanwhile hits them all.

One process holds all competitors of one environment. In every round each one runs once, and the
next round starts with the next competitor. Between two runs there is a pause, because thread pools
keep spinning after a call and would slow down whoever comes next.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from mmi_hpc.bench import ours
from mmi_hpc.bench.peers import Entry, find
from mmi_hpc.bench.problem import Problem
from mmi_hpc.bench.reference import Reference
from mmi_hpc.bench.shapes import Shape
from mmi_hpc.bench.workers import RowError, WorkerProcess

Say = Callable[[str], None]


@dataclass(frozen=True)
class Method:
    """How to measure.

    Attributes:
        threads: Threads of every competitor.
        rounds: Runs of each; medians are taken over them.
        pause: Seconds between two runs.
    """

    threads: int
    rounds: int
    pause: float


@dataclass
class Row:
    """One competitor on one problem, while it is measured.

    Attributes:
        entry: Who.
        reason: Why there is no result, if there is none.
        seconds: Of every round.
        facts: All else, by the names that the JSON has.
    """

    entry: Entry
    reason: str = ""
    seconds: list[float] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> tuple[tuple[str, str], ...]:
        """Rows with equal ones share a process."""
        return tuple(sorted(self.entry.environment.items()))


class Contest:
    """All competitors on one problem.

    Args:
        folder: Holds the arrays of the problem.
        shape: Its sizes.
        entries: Who takes part.
        method: How to measure.
        say: Told what is going on, a line at a time.
    """

    def __init__(
        self, folder: Path, shape: Shape, entries: Sequence[Entry], method: Method, say: Say
    ) -> None:
        self._folder, self._shape, self._method, self._say = folder, shape, method, say
        self.rows = [Row(entry, entry.reason) for entry in entries]
        self._workers: dict[tuple[tuple[str, str], ...], WorkerProcess] = {}

    def run(self) -> None:
        """Fill the rows; what goes wrong with a competitor ends up in its row."""
        try:
            for row in self._standing():
                self._attempt(row, self._prepare)
            for number in range(self._method.rounds):
                self._round(number)
            self._score()
        finally:
            for worker in self._workers.values():
                worker.close()
        for row in [] if self._shape.takes_minutes else self._standing():
            self._memory(row)

    def _standing(self) -> list[Row]:
        return [row for row in self.rows if not row.reason]

    def _round(self, number: int) -> None:
        rows = self._standing()
        if not rows:
            return
        self._say(f"{self._shape.name}: round {number + 1} of {self._method.rounds}")
        turn = number % len(rows)
        for row in rows[turn:] + rows[:turn]:
            time.sleep(self._method.pause)
            self._attempt(row, self._time)

    def _attempt(self, row: Row, step: Callable[[Row], None]) -> None:
        try:
            step(row)
        except RowError as error:
            row.reason = str(error)
            self._replace_dead(row)

    def _replace_dead(self, row: Row) -> None:
        """A crash takes the others of its process down; they are prepared again in a new one."""
        worker = self._workers.get(row.environment)
        if worker is None or worker.alive:
            return
        worker.close()
        del self._workers[row.environment]
        for other in self._standing():
            if other.environment == row.environment and "packing_seconds" in other.facts:
                self._attempt(other, self._prepare)

    def _worker(self, row: Row) -> WorkerProcess:
        if row.environment not in self._workers:
            self._workers[row.environment] = self._start(row)
        return self._workers[row.environment]

    def _start(self, row: Row) -> WorkerProcess:
        threads = self._method.threads
        return WorkerProcess(row.entry.environment, self._folder, self._shape, threads)

    def _prepare(self, row: Row) -> None:
        self._say(f"{self._shape.name}: preparing {row.entry.name}")
        worker = self._worker(row)
        asked = row.entry.isa
        if asked and row.entry.key.startswith(ours.NAME) and worker.isa != asked:
            raise RowError(f"MMI_ISA={asked} gives the {worker.isa} kernels in this build")
        reply = worker.ask("prepare", key=row.entry.key, warm_up=not self._shape.takes_minutes)
        row.facts["packing_seconds"] = reply["packing"]
        if row.entry.environment:
            row.facts["libraries"] = reply["libraries"]
        if row.entry.key.startswith(ours.NAME):
            row.facts["isa"] = worker.isa

    def _time(self, row: Row) -> None:
        reply = self._worker(row).ask("run", key=row.entry.key)
        row.seconds.append(reply["seconds"] / max(1, reply["iterations"]))
        row.facts["iterations"] = reply["iterations"]
        row.facts["stats"] = reply["stats"]
        row.facts.setdefault("phases", []).append(reply["phases"])

    def _score(self) -> None:
        problem = Problem.load(self._folder, self._shape, self._method.threads)
        reference = Reference(problem)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "answer.npz"
            for row in self._standing():
                self._say(f"{self._shape.name}: checking {row.entry.name}")
                self._attempt(row, lambda row: self._compare(row, path, reference))

    def _compare(self, row: Row, path: Path, reference: Reference) -> None:
        competitor = find(self._shape.task, row.entry.key)
        self._worker(row).ask("answer", key=row.entry.key, path=str(path))
        lookups = max(1, self._shape.n // competitor.share)
        with np.load(path) as answer:
            found = reference.compare(answer, competitor.metric, lookups)
        row.facts |= {
            "exact_match": found.exact,
            "recall": found.recall,
            "rows_compared": found.rows,
            "objective": found.objective,
        }

    def _memory(self, row: Row) -> None:
        self._say(f"{self._shape.name}: memory of {row.entry.name}")
        try:
            with self._start(row) as worker:
                row.facts["extra_bytes"] = worker.ask("memory", key=row.entry.key)["bytes"]
        except RowError as error:
            row.facts["extra_bytes_reason"] = str(error)
