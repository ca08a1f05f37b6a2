"""What a stage sees of the run while it works: settings, earlier rows, and its own attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from mmi_hpc.config.layers import validate
from mmi_hpc.config.settings import StageSettings
from mmi_hpc.engine.contracts import Shard, Stage
from mmi_hpc.engine.leases import Lease
from mmi_hpc.engine.run import Run
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.errors import Requeue, WorkError

Section = TypeVar("Section", bound=StageSettings)
Row = TypeVar("Row")


class Context:
    """Handed to every call of a stage.

    Args:
        run: The run.
        lease: The attempt that is being made; None while planning.
        stopping: Says whether this process was asked to stop.
    """

    def __init__(
        self, run: Run, lease: Lease | None = None, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self.run = run
        self.notes: dict[str, str] = {}
        self._lease = lease
        self._stopping = stopping
        self._sections: dict[type[StageSettings], StageSettings] = {}

    @property
    def seed(self) -> int:
        """The run's seed."""
        return int(self.run.config["seed"])

    @property
    def shard_rows(self) -> int:
        """How many rows a shard has at most."""
        return int(self.run.config["shard_rows"])

    def settings(self, section: type[Section]) -> Section:
        """The typed settings of one section."""
        if section not in self._sections:
            values = self.run.config.get(section.section, {})
            self._sections[section] = validate(section, values, f"{self.run.path}/config.json")
        found = self._sections[section]
        assert isinstance(found, section)
        return found

    def folder(self, stage: str) -> StageFolder:
        """The folder of an earlier stage, which must be complete.

        Raises:
            WorkError: It is not.
        """
        folder = self.run.opened(stage)
        if folder is None or folder.summary() is None:
            raise WorkError(
                f"the stage {stage} is not complete yet. "
                f"Run it first: python -m mmi_hpc.engine.worker {self.run.path} {stage}"
            )
        return folder

    def shards(self, stage: str) -> list[Shard]:
        """The plan of an earlier stage."""
        return self.folder(stage).shards

    def cut(self) -> str:
        """Which rows of the first stage are in which shard, as a short digest."""
        summary = self.folder(self.run.stages[0]).summary()
        assert summary is not None
        return str(summary["cut"])

    def own_shards(self) -> list[Shard]:
        """The plan of the stage at work."""
        return self._attempt().folder.shards

    def count(self, stage: str) -> int:
        """How many rows an earlier stage gave."""
        summary = self.folder(stage).summary()
        assert summary is not None
        return int(summary["rows"])

    def path(self, stage: type[Stage[Any]], shard: int) -> Path:
        """The file with the rows of one shard of an earlier stage."""
        return self.folder(stage.name).output_path(shard)

    def rows(self, stage: type[Stage[Row]], shard: int) -> Iterator[Row]:
        """The rows of one shard of an earlier stage."""
        return stage.output.read(self.path(stage, shard))

    def all_rows(self, stage: type[Stage[Row]]) -> Iterator[Row]:
        """The rows of all shards of an earlier stage, in order."""
        for shard in range(len(self.shards(stage.name))):
            yield from self.rows(stage, shard)

    def note(self, key: str, value: str) -> None:
        """Record something about the machine in this shard's marker."""
        self.notes[key] = value

    def check_stop(self) -> None:
        """Leave the work here if this process was asked to stop.

        Raises:
            Requeue: It was.
        """
        if self._stopping():
            raise Requeue("asked to stop; everything recorded so far is kept.")

    def recorded_replies(self) -> list[Path]:
        """Reply segments of all attempts on this shard so far, oldest first."""
        lease = self._attempt()
        return lease.folder.replies(lease.shard)

    def reply_segment(self) -> Path:
        """The reply segment that only this attempt writes."""
        lease = self._attempt()
        return lease.folder.attempt_path("replies", lease.shard, lease.generation, ".jsonl")

    def _attempt(self) -> Lease:
        assert self._lease is not None, "only a stage at work has an attempt"
        return self._lease
