"""The local executor: worker processes on this machine, replaced when they die."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from mmi_hpc.engine import leases
from mmi_hpc.engine.run import Run
from mmi_hpc.engine.status import count_done
from mmi_hpc.errors import EXIT_DONE

# A worker that dies without a word is replaced; this many in a row without one more finished
# shard means that they die of the work itself.
_MAX_DEATHS = 3


@dataclass
class _Process:
    worker: str
    popen: subprocess.Popen[bytes]
    log: Path


def run_workers(run: Run, watch: Callable[[], None]) -> tuple[int, str]:
    """Start the run's workers and wait until they are done.

    Args:
        run: The run.
        watch: Called about twice a second, to show progress.

    Returns:
        The exit code, and the last lines of the log of a worker that failed ("" otherwise).
    """
    count = int(run.config["site"]["workers"])
    processes: list[_Process] = []
    try:
        for _ in range(count):
            processes.append(_start(run))
        return _supervise(run, processes, watch)
    except BaseException:
        _stop(run, processes)
        raise


def _supervise(run: Run, processes: list[_Process], watch: Callable[[], None]) -> tuple[int, str]:
    deaths, best = 0, count_done(run)
    while processes:
        time.sleep(0.2)
        watch()
        for process in [p for p in processes if p.popen.poll() is not None]:
            processes.remove(process)
            leases.declare_left(run.workers, process.worker)
            code = process.popen.returncode
            if code == EXIT_DONE:
                continue
            if code > 0:
                _stop(run, processes)
                return code, _last_error(process.log)
            done = count_done(run)
            deaths, best = (deaths + 1, best) if done <= best else (1, done)
            if deaths > _MAX_DEATHS:
                _stop(run, processes)
                return 1, f"{deaths} workers in a row were killed (signal {-code}) without progress"
            processes.append(_start(run))
    return EXIT_DONE, ""


def _start(run: Run) -> _Process:
    worker = leases.new_worker_id()
    log = run.logs / f"{worker}.log"
    command = [sys.executable, "-m", "mmi_hpc.engine.worker", str(run.path), "--id", worker]
    with log.open("ab") as output:
        popen = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=_environment()
        )
    return _Process(worker, popen, log)


def _environment() -> dict[str, str]:
    """Libraries stay offline and silent, and do not fight over cores."""
    quiet = {
        "HF_HUB_DISABLE_TELEMETRY": "1",
        "DO_NOT_TRACK": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }
    return {**os.environ, **quiet}


def _stop(run: Run, processes: list[_Process]) -> None:
    for process in processes:
        process.popen.send_signal(signal.SIGTERM)
    for process in processes:
        try:
            process.popen.wait(timeout=30)
        except subprocess.TimeoutExpired:
            process.popen.kill()
            process.popen.wait()
        leases.declare_left(run.workers, process.worker)


def _last_error(log: Path) -> str:
    """The last error that a worker logged: its first line and what follows it."""
    text = log.read_text(errors="replace")
    _, found, last = text.rpartition(" ERROR ")
    return last.strip() if found else "\n".join(text.splitlines()[-10:])
