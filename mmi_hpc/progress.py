"""Progress of a run: a live table where a person watches, a line per change where nobody does."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from mmi_hpc.cli import duration, status_table
from mmi_hpc.engine.status import StageStatus, status

if TYPE_CHECKING:
    from mmi_hpc.engine.run import Run

_LIVE_SECONDS = 1.0
_LOG_SECONDS = 5.0
_REPEAT_SECONDS = 60.0


class Progress:
    """Shows a run's status while its workers work."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._live: Any = None
        self._next = 0.0
        self._said: dict[str, str] = {}
        self._quiet_since = time.monotonic()

    def __enter__(self) -> Progress:
        if sys.stdout.isatty():
            from rich.live import Live

            self._live = Live(transient=True, refresh_per_second=4)
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()
        else:
            self._log(status(self._run))

    def update(self) -> None:
        """Look at the files again, at most every few seconds."""
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_LIVE_SECONDS if self._live is not None else _LOG_SECONDS)
        stages = status(self._run)
        if self._live is not None:
            self._live.update(status_table(stages))
        else:
            self._log(stages)

    def _log(self, stages: list[StageStatus]) -> None:
        repeat = time.monotonic() - self._quiet_since > _REPEAT_SECONDS
        for stage in stages:
            active = stage.state in ("running", "failed")
            known = self._said.get(stage.stage)
            new = known != stage.state and stage.state != "waiting"
            if new or (repeat and active):
                self._said[stage.stage] = stage.state
                self._quiet_since = time.monotonic()
                sys.stdout.write(f"{time.strftime('%H:%M:%S')} {_line(stage)}\n")
        sys.stdout.flush()


def _line(stage: StageStatus) -> str:
    lost = f", {stage.failures} failures" if stage.failures else ""
    left = f", {duration(stage.eta_seconds)} left" if stage.state == "running" else ""
    return (
        f"{stage.stage}: {stage.state}, {stage.done}/{stage.shards} shards, "
        f"{stage.rows} rows{lost}{left}"
    )
