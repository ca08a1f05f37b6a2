"""Where a run stands, read from its files alone, without importing anything heavy."""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass
from typing import Any

from mmi_hpc.engine.markers import busy_seconds
from mmi_hpc.engine.run import Run
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.files import load_json


@dataclass(frozen=True)
class StageStatus:
    """One stage's progress.

    Attributes:
        stage: Its name.
        state: "waiting", "running", "failed" or "done".
        shards: Planned shards; 0 while waiting.
        done: Finished shards.
        failed: Shards without a result that have at least one failed attempt.
        rows: Rows of finished shards.
        failures: Records in the failure ledger.
        rate: Rows per second while anybody worked on it, or None.
        eta_seconds: Seconds until done at this rate, or None.
        error: The latest error, "" when there is none.
    """

    stage: str
    state: str
    shards: int = 0
    done: int = 0
    failed: int = 0
    rows: int = 0
    failures: int = 0
    rate: float | None = None
    eta_seconds: float | None = None
    error: str = ""


def status(run: Run) -> list[StageStatus]:
    """The progress of every stage, in order."""
    return [_stage_status(run, name) for name in run.stages]


def as_json(run: Run) -> dict[str, Any]:
    """What `status --json` prints."""
    return {"run": str(run.path), "name": run.name, "stages": [asdict(s) for s in status(run)]}


def count_done(run: Run) -> int:
    """Finished shards of all stages."""
    folders = [run.opened(name) for name in run.stages]
    return sum(len(folder.done_shards()) for folder in folders if folder)


def _stage_status(run: Run, name: str) -> StageStatus:
    folder = run.opened(name)
    if folder is None or not _is_current(run, name):
        return StageStatus(name, "waiting")
    if total := folder.summary():
        rate = round(total["rows"] / max(total["busy"], 1e-3), 2)
        return StageStatus(
            name,
            "done",
            total["shards"],
            total["shards"],
            0,
            total["rows"],
            total["failures"],
            rate,
        )
    return _unfinished(name, folder, int(run.config["site"]["max_attempts"]))


def _is_current(run: Run, name: str) -> bool:
    """A link may still lead to the work of before an earlier stage was done anew."""
    before = run.stages[: run.stages.index(name)]
    return all((f := run.opened(stage)) is not None and f.summary() for stage in before)


def _unfinished(name: str, folder: StageFolder, max_attempts: int) -> StageStatus:
    done = folder.done_shards()
    attempts = {s: n for s, n in folder.failed_attempts().items() if s not in done}
    rows = failures = 0
    spans: list[tuple[float, float]] = []
    for entry in os.scandir(folder.path / "done"):
        if entry.name.endswith(".json") and not entry.name.startswith("."):
            marker = load_json(folder.path / "done" / entry.name)
            rows += marker["output"]["count"]
            ledger = marker["failures"]["count"] if marker["failures"] else 0
            failures += ledger - marker["left_out"]
            spans.append((marker["started"], marker["started"] + marker["seconds"]))
    shards = len(folder.shards)
    busy = busy_seconds(spans)
    eta = busy / len(done) * (shards - len(done)) if done else None
    stuck = any(count >= max_attempts for count in attempts.values())
    return StageStatus(
        name,
        "failed" if stuck else "running",
        shards,
        len(done),
        len(attempts),
        rows,
        failures,
        round(rows / busy, 2) if rows and busy > 0 else None,
        round(eta, 1) if eta is not None else None,
        folder.last_error(max(attempts)) if attempts else "",
    )
