"""A toy run with real worker processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmi_hpc.engine.run import create

HERE = Path(__file__).parent
STAGES = [(name.lower(), f"toy_stages:{name}") for name in ("Source", "Times", "Total")]
sys.path.insert(0, str(HERE))


class Toy:
    """Makes runs below one root, and starts workers on them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.processes: list[subprocess.Popen] = []

    def run(self, shard_rows=5, stages=STAGES, site=None, **toy):
        limits = {
            "workers": 2,
            "beat_seconds": 0.1,
            "stale_seconds": 1.0,
            "max_attempts": 2,
            "umask": "077",
            **(site or {}),
        }
        config = {"name": "toy", "seed": 0, "shard_rows": shard_rows, "toy": toy, "site": limits}
        return create(self.root, config, {"toy": toy, "rows": shard_rows}, stages)

    def environment(self, **variables):
        return {**os.environ, "PYTHONPATH": str(HERE), **variables}

    def start(self, run, *stages, **variables):
        process = subprocess.Popen(
            [sys.executable, "-m", "mmi_hpc.engine.worker", str(run.path), *stages],
            env=self.environment(**variables),
            stderr=subprocess.PIPE,
            text=True,
        )
        self.processes.append(process)
        return process

    def work(self, run, *stages, **variables):
        """Run one worker to its end; returns exit code and log."""
        process = self.start(run, *stages, **variables)
        _, log = process.communicate(timeout=60)
        return process.returncode, log

    def rows(self, run, stage):
        """The published rows of a complete stage, as one byte string."""
        folder = run.opened(stage)
        shards = range(len(folder.shards))
        return b"".join(folder.output_path(shard).read_bytes() for shard in shards)


@pytest.fixture
def toy(tmp_path):
    maker = Toy(tmp_path)
    yield maker
    for process in maker.processes:
        if process.poll() is None:
            process.kill()
            process.wait()
        if process.stderr:
            process.stderr.close()
