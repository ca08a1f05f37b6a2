"""Benchmarks as a person runs them, with libraries of our own making in place of real ones."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


class Bench:
    """Runs the command on tiny shapes in a folder of its own."""

    def __init__(self, root: Path) -> None:
        self.out = root / "results"
        self._libraries = root / "libraries"
        self._libraries.mkdir()

    def library(self, name, source):
        """What importing `name` gives from now on."""
        (self._libraries / f"{name}.py").write_text(source)

    def run(self, *arguments):
        found = os.pathsep.join([str(self._libraries), str(REPOSITORY)])
        return subprocess.run(
            [sys.executable, "-m", "mmi_hpc.bench", *map(str, arguments)],
            capture_output=True,
            text=True,
            check=False,
            cwd=self.out.parent,
            env={**os.environ, "PYTHONPATH": found, "OMP_NUM_THREADS": "1"},
        )

    def measured(self, task, *arguments, file=None):
        """Run a task that must end well; returns its document."""
        options = ("--shapes", "tiny", "--rounds", 2, "--threads", 1, "--out", self.out)
        done = self.run(task, *options, *arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads((self.out / (file or f"{task}.json")).read_text())


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)
