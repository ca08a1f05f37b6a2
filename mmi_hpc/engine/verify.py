"""verify: hold every marker of a run against the files that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mmi_hpc.data.formats import Format
from mmi_hpc.engine.attempt import LEDGER
from mmi_hpc.engine.markers import Marker, Output, size_of
from mmi_hpc.engine.run import Run
from mmi_hpc.engine.stage_folder import StageFolder


@dataclass(frozen=True)
class Problem:
    """Something that does not agree with its marker; `warning` marks what may be harmless."""

    stage: str
    shard: int
    text: str
    warning: bool = False


def verify(run: Run, *, deep: bool = False) -> Iterator[Problem]:
    """Check every finished shard of a run.

    Args:
        run: The run.
        deep: Also read every row again and compare number and digest.
    """
    for name in run.stages:
        folder = run.opened(name)
        if folder is not None:
            yield from _check_stage(run, name, folder, deep)


def _check_stage(run: Run, name: str, folder: StageFolder, deep: bool) -> Iterator[Problem]:
    output: Format[Any] = run.load_class(name).output
    machines = set()
    done = folder.done_shards()
    if folder.summary() is not None:
        for shard in sorted(set(range(len(folder.shards))) - done):
            yield Problem(name, shard, "its marker is missing although the stage is complete")
    for shard in sorted(done):
        try:
            marker = folder.marker(shard)
        except ValueError as error:
            yield Problem(name, shard, str(error))
            continue
        machines.add(marker.environment.get("device", marker.environment["machine"]))
        for text in _check_shard(folder, marker, output, deep):
            yield Problem(name, shard, text)
    if len(machines) > 1:
        text = f"made on different hardware: {', '.join(sorted(machines))}"
        yield Problem(name, 0, text, warning=True)


def _check_shard(
    folder: StageFolder, marker: Marker, output: Format[Any], deep: bool
) -> Iterator[str]:
    if marker.fingerprint != folder.fingerprint:
        yield f"its marker has fingerprint {marker.fingerprint}, the stage {folder.fingerprint}"
    yield from _check_output(folder, marker.output, output, deep)
    if marker.failures is not None:
        yield from _check_output(folder, marker.failures, LEDGER, deep)


def _check_output(
    folder: StageFolder, expected: Output, output: Format[Any], deep: bool
) -> Iterator[str]:
    path = folder.path / expected.path
    if not path.exists():
        yield f"{path} is missing"
        return
    size = size_of(path)
    if size != expected.size:
        yield f"{path} has {size} bytes, its marker says {expected.size}"
        return
    if not deep:
        return
    try:
        found = output.measure(path)
    except (ValueError, OSError, KeyError) as error:
        yield f"{path} cannot be read: {error}"
        return
    if (found.count, found.digest) != (expected.count, expected.digest):
        yield f"{path} holds other rows than its marker says"
