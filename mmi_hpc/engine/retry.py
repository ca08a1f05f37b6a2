"""retry: let shards that failed, or that hold failed records, be worked on again."""

from __future__ import annotations

import os
from dataclasses import dataclass

from mmi_hpc.engine.run import Run
from mmi_hpc.engine.stage_folder import RETRIED, StageFolder


@dataclass(frozen=True)
class Retried:
    """What was freed: a stage, and the numbers of its shards."""

    stage: str
    shards: tuple[int, ...]


def retry(run: Run, *, failed_records: bool = False) -> list[Retried]:
    """Free failed shards of every stage that was opened.

    Recorded replies are kept: what a model has answered is not asked again.

    Args:
        run: The run.
        failed_records: Also free finished shards in which records failed.
    """
    found = []
    for name in run.stages:
        folder = run.opened(name)
        if folder is None:
            continue
        shards = _free_failed(folder)
        if failed_records:
            shards |= _free_with_failures(folder)
        if shards:
            found.append(Retried(name, tuple(sorted(shards))))
    return found


def _free_failed(folder: StageFolder) -> set[int]:
    freed = set()
    for path in sorted((folder.path / "failed").glob("*.json")):
        os.replace(path, path.with_suffix(RETRIED))
        freed.add(int(path.name.split(".")[0]))
    return freed - folder.done_shards()


def _free_with_failures(folder: StageFolder) -> set[int]:
    """Set markers aside.

    The totals go before, so that no worker takes the stage for complete, and after, in case a
    worker has added them up meanwhile.
    """
    freed = {shard for shard in sorted(folder.done_shards()) if folder.marker(shard).failed}
    if freed:
        folder.summary_path.unlink(missing_ok=True)
    for shard in freed:
        aside = folder.attempt_path("failed", shard, folder.marker(shard).attempt, RETRIED)
        os.replace(folder.marker_path(shard), aside)
    if freed:
        folder.summary_path.unlink(missing_ok=True)
    return freed
