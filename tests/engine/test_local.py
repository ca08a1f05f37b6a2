"""The local executor replaces workers that die, and stops when they die of the work itself."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from mmi_hpc.engine.local import run_workers
from mmi_hpc.errors import EXIT_DONE


def children():
    pid = os.getpid()
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return [int(c) for task in tasks for c in (task / "children").read_text().split()]


def workers_of(run):
    """Our children that work on this run."""
    found = []
    for pid in children():
        try:
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except OSError:
            continue
        if str(run.path).encode() in command:
            found.append(pid)
    return found


def test_a_killed_worker_is_replaced(toy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("TOY_SECONDS", "0.05")
    run = toy.run(shard_rows=2)
    killed = []

    def watch():
        if not killed and run.opened("times") and workers_of(run):
            killed.append(workers_of(run)[0])
            os.kill(killed[0], signal.SIGKILL)

    assert run_workers(run, watch) == (EXIT_DONE, "")
    assert killed
    assert toy.rows(run, "total") == b'{"id":"total","value":570}\n'


def test_workers_that_die_without_progress_are_not_replaced_for_ever(toy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("TOY_SECONDS", "60")
    run = toy.run(shard_rows=20)
    killed = []

    def watch():
        for pid in workers_of(run):
            killed.append(pid)
            os.kill(pid, signal.SIGKILL)

    code, error = run_workers(run, watch)
    assert code == 1
    assert "without progress" in error
    assert len(killed) >= 4


def test_an_error_of_a_worker_is_handed_on(toy, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    monkeypatch.setenv("TOY_ERROR_SHARD", "1")
    run = toy.run()
    code, error = run_workers(run, lambda: None)
    assert code == 1
    assert "shard 1 is cursed" in error
    assert "Traceback" not in error
