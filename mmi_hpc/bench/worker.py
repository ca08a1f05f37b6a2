"""The process in which competitors run: python -m mmi_hpc.bench.worker, driven by JSON lines.

Libraries may print, warn, hang on to threads or crash; here that harms nobody else. One request a
line comes in at standard input; one reply a line goes out at what was standard output, and
whatever libraries print goes to standard error.
"""

from __future__ import annotations

import ctypes
import gc
import importlib
import importlib.util
import json
import logging
import os
import statistics
import sys
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np

from mmi_hpc.bench import ours
from mmi_hpc.bench.memory import PeakMemory
from mmi_hpc.bench.peers import find
from mmi_hpc.bench.problem import Answer, Competitor, Problem, nothing
from mmi_hpc.bench.shapes import Shape

_PACKINGS = 3


class Worker:
    """Holds a problem, what competitors prepared for it, and their last answers."""

    def __init__(self) -> None:
        self._problem: Any = None
        self._prepared: dict[str, Any] = {}
        self._answers: dict[str, Answer] = {}

    def open(self, folder: str, shape: dict[str, Any], threads: int) -> dict[str, Any]:
        """Load the arrays of a problem."""
        self._problem = Problem.load(Path(folder), Shape(**shape), threads)
        return {"isa": ours.isa()}

    def prepare(self, key: str, warm_up: bool) -> dict[str, Any]:
        """Pack a few times, and run once unmeasured: the problem, or one that takes no time."""
        competitor = self._import(key)
        seconds = []
        for _ in range(1 if competitor.prepare is nothing else _PACKINGS):
            self._prepared.pop(key, None)
            start = time.perf_counter()
            self._prepared[key] = competitor.prepare(self._problem)
            seconds.append(time.perf_counter() - start)
        if warm_up:
            self.run(key)
        else:
            small = self._problem.small()
            competitor.run(small, competitor.prepare(small))
        packing = None if competitor.prepare is nothing else statistics.median(seconds)
        return {"packing": packing, "libraries": _loaded_libraries()}

    def run(self, key: str) -> dict[str, Any]:
        """Run once."""
        competitor = self._competitor(key)
        problem = self._problem.part(competitor.share)
        prepared = self._prepared[key]
        self._answers.pop(key, None)
        start = time.perf_counter()
        answer = competitor.run(problem, prepared)
        seconds = time.perf_counter() - start
        self._answers[key] = answer
        part = (problem.lookups or problem.shape.n) / self._problem.shape.n
        return {
            "seconds": seconds / part,
            "iterations": answer.iterations,
            "phases": {name: value / part for name, value in answer.phases.items()},
            "stats": answer.stats,
        }

    def answer(self, key: str, path: str) -> dict[str, Any]:
        """Leave the last answer in a file."""
        np.savez(path, **self._answers[key].arrays)
        return {}

    def memory(self, key: str) -> dict[str, Any]:
        """Peak memory of preparing and running once, beyond inputs and outputs."""
        competitor = self._import(key)
        small = self._problem.small()
        competitor.run(small, competitor.prepare(small))  # loads code and starts threads
        del small
        gc.collect()
        _return_freed_pages()
        peak = PeakMemory()
        problem = self._problem.part(competitor.share)
        answer = competitor.run(problem, competitor.prepare(self._problem))
        return {"bytes": peak.bytes() - answer.bytes}

    def _competitor(self, key: str) -> Competitor:
        return find(self._problem.shape.task, key)

    def _import(self, key: str) -> Competitor:
        competitor = self._competitor(key)
        try:
            importlib.import_module(competitor.module)
        except ImportError as error:
            raise _MissingError(
                f"{competitor.module} is not installed here ({error}): "
                f"pip install {competitor.package}"
            ) from error
        _limit_threads(self._problem.threads)
        for name in competitor.unit:
            self._problem.unit(name)
        return competitor


class _MissingError(Exception):
    pass


def _limit_threads(threads: int) -> None:
    """For the pools that the environment has not bound already."""
    if importlib.util.find_spec("threadpoolctl"):
        importlib.import_module("threadpoolctl").threadpool_limits(threads)
    if "daal4py" in sys.modules:
        sys.modules["daal4py"].daalinit(threads)


def _loaded_libraries() -> list[str]:
    """The maths libraries of this process and the processor that they think they run on."""
    found = []
    if "threadpoolctl" in sys.modules:
        for pool in sys.modules["threadpoolctl"].threadpool_info():
            parts = (pool["prefix"], pool["version"], pool.get("architecture"))
            found.append(" ".join(part for part in parts if part))
    if "faiss" in sys.modules:
        config = getattr(sys.modules["faiss"], "SIMDConfig", None)
        found += [f"faiss {config.get_level_name()}"] if config else []
    return found


def _return_freed_pages() -> None:
    try:
        ctypes.CDLL("libc.so.6").malloc_trim(0)
    except (OSError, AttributeError):
        return  # another C library; the figure is then a little less sharp


def _sentence(error: BaseException) -> str:
    if isinstance(error, _MissingError):
        return str(error)
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"[:300]


def main() -> None:
    """Answer requests until there are no more."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        try:
            reply = getattr(worker, request.pop("do"))(**request)
        except Exception as error:  # a peer may raise anything
            reply = {"error": _sentence(error)}
        replies.write(json.dumps(reply, default=_plain) + "\n")
        replies.flush()


def _plain(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else str(value)


if __name__ == "__main__":
    main()
