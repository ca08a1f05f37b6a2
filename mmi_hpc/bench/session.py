"""One benchmark from beginning to end: data, contests, peaks, and the JSON that is kept."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import orjson

from mmi_hpc.bench import data, peak
from mmi_hpc.bench.machine import describe
from mmi_hpc.bench.measure import Contest, Method
from mmi_hpc.bench.ours import NAME
from mmi_hpc.bench.peers import Entry
from mmi_hpc.bench.records import as_records
from mmi_hpc.bench.report import add_percentages
from mmi_hpc.bench.shapes import Shape
from mmi_hpc.bench.texts import Texts
from mmi_hpc.files import replace as write

SCHEMA = 1
_ALONE = "this shape takes minutes, and is for our fastest kernels alone"


@dataclass(frozen=True)
class Plan:
    """What to measure.

    Attributes:
        task: One of TASKS.
        shapes: The problems.
        entries: Who takes part.
        data: Kind of data.
        texts: The sentences, for data "text".
        method: Rounds, threads and pauses.
        quick: Peaks are measured in a tenth of the time.
    """

    task: str
    shapes: Sequence[Shape]
    entries: Sequence[Entry]
    data: str
    texts: Texts | None
    method: Method
    quick: bool


def run(plan: Plan, path: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Measure everything, and write the JSON anew after each problem.

    Args:
        plan: What to measure.
        path: The JSON file; its folder is made.
        say: Told what is going on, a line at a time.

    Returns:
        The content of the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    say("measuring the peaks of this machine")
    peaks = peak.measure(plan.method.threads, plan.quick)
    document: dict[str, Any] = {
        "schema": SCHEMA,
        "task": plan.task,
        "data": plan.data,
        "threads": plan.method.threads,
        "rounds": plan.method.rounds,
        "pause_seconds": plan.method.pause,
        **describe(),
        "peaks": asdict(peaks),
        "rows": [],
    }
    for wanted in plan.shapes:
        shape, arrays = _problem(plan, wanted, say)
        if shape.name in {row["shape"] for row in document["rows"]}:
            say(f"{wanted.name}: with these texts that is {shape.name} once more, left out")
            continue
        document["rows"] += _contest(plan, shape, arrays, say)
        peaks = peaks.or_better(peak.measure(plan.method.threads, plan.quick))
        document["peaks"] = asdict(peaks)
        add_percentages(document["rows"], document["peaks"])
        write(path, orjson.dumps(document, option=orjson.OPT_INDENT_2) + b"\n")
    return document


def _problem(
    plan: Plan, shape: Shape, say: Callable[[str], None]
) -> tuple[Shape, dict[str, data.Rows]]:
    say(f"{shape.name}: making {plan.data} data")
    if plan.texts is not None:
        return plan.texts.problem(shape)
    return shape, data.make(plan.data, shape)


def _contest(
    plan: Plan, shape: Shape, arrays: dict[str, data.Rows], say: Callable[[str], None]
) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="mmi_bench.") as name:
        folder = Path(name)
        data.save(folder, arrays)
        arrays.clear()  # the workers have their own copies
        entries = [_unless_alone(shape, entry) for entry in plan.entries]
        rounds = min(plan.method.rounds, shape.most_rounds or plan.method.rounds)
        contest = Contest(folder, shape, entries, replace(plan.method, rounds=rounds), say)
        contest.run()
    return as_records(shape, contest.rows)


def _unless_alone(shape: Shape, entry: Entry) -> Entry:
    if shape.alone and entry.name != NAME:
        return replace(entry, reason=_ALONE)
    return entry
