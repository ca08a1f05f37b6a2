"""The one command that does all the work: `python -m mmi_hpc.engine.worker RUN [STAGE ...]`.

Any number of these may run at once, on any machines that share the run folder. Each takes the next
free shard by a lease, works through the stages in order, and ends when they are complete.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mmi_hpc.engine import attempt, leases
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import Stage
from mmi_hpc.engine.fingerprints import open_stage
from mmi_hpc.engine.run import Run, find
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.errors import (
    EXIT_DONE,
    MmiError,
    Requeue,
    WorkError,
    site_error,
)

log = logging.getLogger("mmi_hpc.worker")


class Worker:
    """Works on one run until its stages are complete or it is asked to stop."""

    def __init__(self, run: Run, worker: str) -> None:
        self.run = run
        self.id = worker
        site = run.config["site"]
        self._observer = leases.Observer(run.workers, float(site["stale_seconds"]))
        self._poll = min(2.0, float(site["beat_seconds"]) / 2)
        self._max_attempts = int(site["max_attempts"])
        self._stop = False

    def request_stop(self, *_: object) -> None:
        """Signal handler: finish nothing more, keep what is recorded."""
        self._stop = True

    def work(self, stages: Sequence[str]) -> None:
        """Bring the stages to completion, one after the other.

        Raises:
            WorkError: A shard failed too often.
            Requeue: This process was asked to stop.
        """
        for name in stages:
            folder = open_stage(self.run, name)
            if folder.summary() is None:
                self._complete(self.run.load_class(name)(), folder)
            self._insist_on_rows(name, folder)

    def _insist_on_rows(self, name: str, folder: StageFolder) -> None:
        """A stage that gave nothing leaves nothing to do; the reason lies here, not further on."""
        summary = folder.summary()
        if summary is None or summary["rows"] or self.run.load_class(name).may_be_empty:
            return
        first = next(attempt.failures(folder), None)
        reason = f" The first: {first.id}: {first.reason}." if first else ""
        raise WorkError(
            f"stage {name} gave no row: {summary['failures']} records failed and "
            f"{summary['left_out']} were left out by a rule.{reason} Change the settings or the "
            "source and launch again, or try the same records again: "
            f"python -m mmi_hpc retry --failed-records {self.run.path}"
        )

    def _complete(self, stage: Stage[Any], folder: StageFolder) -> None:
        done: set[int] = set()
        while folder.summarise() is None:
            self._check_stop()
            done |= folder.done_shards()
            failed = folder.failed_attempts()
            open_shards = [
                shard
                for shard in range(len(folder.shards))
                if shard not in done and failed.get(shard, 0) < self._max_attempts
            ]
            if not open_shards:
                self._give_up(stage, folder)
            elif not self._pass_over(stage, folder, open_shards):
                time.sleep(self._poll)

    def _pass_over(self, stage: Stage[Any], folder: StageFolder, shards: list[int]) -> bool:
        """Try every open shard once, starting where other workers probably do not."""
        start = hash_position(self.id, len(shards))
        worked = False
        for shard in shards[start:] + shards[:start]:
            self._check_stop()
            if not folder.is_done(shard):
                worked |= self._try(stage, folder, shard)
        return worked

    def _try(self, stage: Stage[Any], folder: StageFolder, shard: int) -> bool:
        lease = leases.acquire(folder, shard, self.id, self._observer)
        if lease is None or folder.is_done(shard):
            return False
        context = Context(self.run, lease, lambda: self._stop)
        try:
            marker = attempt.make(stage, lease, context, self.id)
        except MmiError:
            # A stop, a wrong setting, a server that refuses: the next shard would end the same.
            raise
        except Exception as error:
            if problem := site_error(error):
                raise problem from error
            attempt.record_error(lease, error, self.id)
            log.error("%s shard %d failed: %s", stage.name, shard, error, exc_info=error)
            return True
        if marker is None:
            log.info("%s shard %d was finished by another worker", stage.name, shard)
        else:
            log.info(
                "%s shard %d/%d: %d rows, %d failures, %.1f s",
                *(stage.name, shard + 1, len(folder.shards)),
                *(marker.output.count, marker.failed, marker.seconds),
            )
        return True

    def _give_up(self, stage: Stage[Any], folder: StageFolder) -> None:
        done = folder.done_shards()
        failed = sorted(shard for shard in folder.failed_attempts() if shard not in done)
        if not failed:
            return
        raise WorkError(
            f"stage {stage.name}: {len(failed)} of {len(folder.shards)} shards failed "
            f"{self._max_attempts} times, the first being shard {failed[0]}: "
            f"{folder.last_error(failed[0])}\n"
            f"Mend the cause, then: python -m mmi_hpc retry {self.run.path}"
        )

    def _check_stop(self) -> None:
        if self._stop:
            raise Requeue("asked to stop; run the same command again to continue.")


def hash_position(worker: str, count: int) -> int:
    """Where a worker begins in a list, spread evenly over workers."""
    import xxhash

    return xxhash.xxh3_64_intdigest(worker.encode()) % count


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse the command line, work, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m mmi_hpc.engine.worker", description=__doc__)
    parser.add_argument("run", type=Path, help="the run's folder")
    parser.add_argument("stages", nargs="*", help="stages to complete (default: all, in order)")
    parser.add_argument("--id", default="", help="name of this worker (default: made up)")
    options = parser.parse_args(arguments)
    logging.basicConfig(format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr)
    logging.getLogger("mmi_hpc").setLevel(logging.INFO)
    try:
        return _serve(options)
    except MmiError as error:
        log.error("%s", error)
        return error.exit_code


def _serve(options: argparse.Namespace) -> int:
    run = find(options.run)
    os.umask(int(str(run.config["site"]["umask"]), 8))
    worker = Worker(run, options.id or leases.new_worker_id())
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR2):
        signal.signal(number, worker.request_stop)
    try:
        with leases.Heartbeat(run.workers, worker.id, float(run.config["site"]["beat_seconds"])):
            worker.work(options.stages or run.stages)
    except OSError as error:
        if problem := site_error(error):
            raise problem from error
        raise
    return EXIT_DONE


if __name__ == "__main__":
    sys.exit(main())
