"""One attempt on one shard: write rows and failures to own files, then publish the marker."""

from __future__ import annotations

import logging
import platform
import shutil
import time
import traceback
from collections.abc import Iterator
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Failure
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, ReduceStage, Stage
from mmi_hpc.engine.leases import Lease
from mmi_hpc.engine.markers import SCHEMA, Marker, Output, size_of
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.files import dump_json, publish

log = logging.getLogger(__name__)
LEDGER = JsonLines(Failure)
_PACKAGES = ("numpy", "h5py", "pillow", "torch", "open_clip_torch", "sentence-transformers")


def make(stage: Stage[Any], lease: Lease, context: Context, worker: str) -> Marker | None:
    """Do the work of one shard.

    Returns:
        The marker, or None when another worker has finished or taken over the shard meanwhile;
        this attempt's files are removed then.
    """
    rows_path = _own_path(stage, lease)
    ledger_path = lease.folder.attempt_path("failures", lease.shard, lease.generation, ".jsonl")
    try:
        marker = _write(stage, lease, context, worker, rows_path, ledger_path)
    except BaseException:
        _discard(rows_path, ledger_path)
        raise
    if lease.is_held() and publish(lease.folder.marker_path(lease.shard), marker.encode()):
        return marker
    _discard(rows_path, ledger_path)
    return None


def _write(
    stage: Stage[Any],
    lease: Lease,
    context: Context,
    worker: str,
    rows_path: Path,
    ledger_path: Path,
) -> Marker:
    """Write rows and ledger; returns the marker that would publish them."""
    started, clock = time.time(), time.monotonic()
    failures: list[Failure] = []
    rows = _split(_rows(stage, lease, context), failures, context)
    total = stage.storage(context).write(rows_path, rows)
    return Marker(
        schema=SCHEMA,
        stage=stage.name,
        shard=lease.shard,
        attempt=lease.generation,
        fingerprint=lease.folder.fingerprint,
        output=_output(lease, rows_path, total.count, total.digest),
        failures=_write_ledger(lease, ledger_path, failures),
        left_out=sum(failure.by_rule for failure in failures),
        started=started,
        seconds=round(time.monotonic() - clock, 3),
        worker=worker,
        environment={**environment(), **context.notes},
    )


def record_error(lease: Lease, error: BaseException, worker: str) -> None:
    """Leave word of an attempt that ended with an error, which also frees the shard."""
    content = {
        "error": str(error) or type(error).__name__,
        "kind": type(error).__name__,
        "worker": worker,
        "traceback": "".join(traceback.format_exception(error)),
    }
    path = lease.folder.attempt_path("failed", lease.shard, lease.generation, ".json")
    publish(path, dump_json(content))


def failures(folder: StageFolder) -> Iterator[Failure]:
    """The failure ledger of a stage's finished shards."""
    for shard in sorted(folder.done_shards()):
        if ledger := folder.marker(shard).failures:
            yield from LEDGER.read(folder.path / ledger.path)


@cache
def environment() -> dict[str, str]:
    """Machine and versions, as far as they can be told without importing anything heavy."""
    found = {"machine": _cpu_model(), "python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _rows(stage: Stage[Any], lease: Lease, context: Context) -> Iterator[Any]:
    if isinstance(stage, MapStage):
        return stage.map(lease.shard, context)
    assert isinstance(stage, ReduceStage)
    first = stage.inputs(context)[0]
    return stage.reduce(range(len(context.shards(first))), context)


def _split(rows: Iterator[Any], failures: list[Failure], context: Context) -> Iterator[Any]:
    for row in rows:
        context.check_stop()
        if isinstance(row, Failure):
            failures.append(row)
        else:
            yield row


def _own_path(stage: Stage[Any], lease: Lease) -> Path:
    suffix = stage.output.suffix
    path = lease.folder.attempt_path("out", lease.shard, lease.generation, suffix)
    if not suffix:
        path.mkdir(exist_ok=True)
    return path


def _write_ledger(lease: Lease, path: Path, failures: list[Failure]) -> Output | None:
    if not failures:
        return None
    total = LEDGER.write(path, failures)
    return _output(lease, path, total.count, total.digest)


def _output(lease: Lease, path: Path, count: int, digest: str) -> Output:
    return Output(path.relative_to(lease.folder.path).as_posix(), size_of(path), count, digest)


def _discard(*paths: Path) -> None:
    for path in paths:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()
