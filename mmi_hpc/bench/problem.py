"""What a competitor is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from mmi_hpc.bench.data import Rows, unit
from mmi_hpc.bench.shapes import Shape

_SMALL = 512


@dataclass(frozen=True)
class Problem:
    """Arrays in memory, and how they are to be worked on.

    Attributes:
        shape: The sizes.
        arrays: As mmi_hpc.bench.data makes them.
        threads: Threads that a competitor may use.
        lookups: Rows of a self-join whose partners are looked for; by default all.
    """

    shape: Shape
    arrays: Mapping[str, Rows]
    threads: int
    lookups: int | None = None
    _unit: dict[str, Rows] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, folder: Path, shape: Shape, threads: int) -> Problem:
        """Read the arrays of a folder into memory."""
        arrays = {path.stem: np.load(path) for path in sorted(folder.glob("*.npy"))}
        return cls(shape, arrays, threads)

    def __getitem__(self, name: str) -> Rows:
        return self.arrays[name]

    def unit(self, name: str) -> Rows:
        """The rows at length 1, made once and shared by those who need them."""
        if name not in self._unit:
            self._unit[name] = unit(self.arrays[name])
        return self._unit[name]

    def part(self, share: int) -> Problem:
        """The problem with one of `share` parts of the lookups; what is made once stays shared."""
        n = max(1, self.shape.n // share)
        if share == 1:
            return self
        if "queries" not in self.arrays:
            return replace(self, lookups=n)
        units = {name: rows[:n] if name == "queries" else rows for name, rows in self._unit.items()}
        arrays = {**self.arrays, "queries": self.arrays["queries"][:n]}
        return Problem(self.shape.but(n=n), arrays, self.threads, None, units)

    def small(self) -> Problem:
        """A problem of the same kind that takes no time: libraries load what they need with it."""
        shape, rows = self.shape, {name: array[:_SMALL] for name, array in self.arrays.items()}
        if shape.task == "topk":
            rows["bank"] = self["bank"][: max(_SMALL, shape.k)]
            shape = shape.but(n=len(rows["queries"]), m=len(rows["bank"]))
        elif shape.task == "kmeans":
            rows["init"] = rows["init"][:16]
            shape = shape.but(n=len(rows["x"]), k=len(rows["init"]), iterations=2)
        else:
            shape = shape.but(n=len(rows["x"]))
        return Problem(shape, {name: array.copy() for name, array in rows.items()}, self.threads)


@dataclass(frozen=True)
class Answer:
    """What a run gave.

    Attributes:
        arrays: topk: "indices" (n, k), "scores". kmeans: "labels" (n,), "centroids" (k, d).
            near_duplicates: "i", "j", "score".
        iterations: Centroid updates really done (kmeans).
        phases: Seconds of named parts of the run.
        stats: Other numbers that the competitor reports.
    """

    arrays: dict[str, Any]
    iterations: int = 0
    phases: dict[str, float] = field(default_factory=dict)
    stats: dict[str, Any] = field(default_factory=dict)

    @property
    def bytes(self) -> int:
        """Size of the arrays."""
        return sum(array.nbytes for array in self.arrays.values())


def nothing(problem: Problem) -> None:
    """What competitors prepare that have nothing to prepare."""


@dataclass(frozen=True)
class Competitor:
    """One way to solve a task.

    Attributes:
        name: As --vs names it.
        task: The task it solves.
        run: From a problem and what `prepare` made to an answer; this is what is timed.
        prepare: What is done once per bank; timed apart, as packing.
        module: What has to be importable.
        package: What to install for it.
        note: What a reader has to know, at most a sentence.
        metric: Of kmeans; rows are compared with our row of the same metric.
        unit: Arrays that it takes at length 1; normalising them is not timed.
        share: It solves one of so many parts of the queries, and its time is multiplied.
    """

    name: str
    task: str
    run: Callable[[Problem, Any], Answer]
    prepare: Callable[[Problem], Any] = nothing
    module: str = "numpy"
    package: str = "numpy"
    note: str = ""
    metric: str = "cosine"
    unit: tuple[str, ...] = ()
    share: int = 1

    @property
    def key(self) -> str:
        """Unique within a task."""
        return self.name if self.metric == "cosine" else f"{self.name} {self.metric}"
