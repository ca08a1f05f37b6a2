"""The real chain through the real command, below a temporary root."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
QUICKSTART = REPOSITORY / "configs" / "quickstart.yaml"
SHARED = REPOSITORY.parent / "shared" / "data"


class Chain:
    """Launches recipes and reads what came out."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def command(self, *settings, recipe=QUICKSTART, module="mmi_hpc.launch", options=("--yes",)):
        return [
            *(sys.executable, "-m", module, str(recipe), *options),
            *(f"root={self.root}", *settings),
        ]

    def environment(self, **variables):
        offline = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
        return {**os.environ, **offline, **variables}

    def start(self, *settings, **kwargs):
        return subprocess.Popen(
            self.command(*settings, **kwargs),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self.environment(),
            preexec_fn=_as_in_a_terminal,
        )

    def launch(self, *settings, variables=None, **kwargs):
        """Run a launch to its end; returns the finished process."""
        return subprocess.run(
            self.command(*settings, **kwargs),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            env=self.environment(**(variables or {})),
            timeout=280,
        )

    def done(self, *settings, **kwargs):
        """Launch, and insist that it ends well; returns its output."""
        finished = self.launch(*settings, **kwargs)
        assert finished.returncode == 0, finished.stdout + finished.stderr
        return finished.stdout

    def export(self, name="quickstart"):
        """Every file of the exported dataset."""
        folder = self.root / name / "out" / "export"
        return {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in sorted(folder.rglob("*"))
            if path.is_file()
        }


def _as_in_a_terminal():
    """Signals that the tests' own parent may ignore (under nohup, in the background) arrive."""
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def chain(tmp_path):
    return Chain(tmp_path / "runs")


@pytest.fixture(scope="session")
def undisturbed(tmp_path_factory):
    """The quickstart by one worker with all photos in one shard, and its output."""
    made = Chain(tmp_path_factory.mktemp("undisturbed") / "runs")
    made.output = made.done("site.workers=1", "shard_rows=500")
    return made


@pytest.fixture(scope="session")
def shared_data():
    """The folder of published data beside the repository, where there is one."""
    return SHARED
