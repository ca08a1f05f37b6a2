"""Worker processes seen from outside: asked, waited for, and replaced when they die."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

from mmi_hpc.bench.shapes import Shape

_POOLS = (
    *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"),
    "BLIS_NUM_THREADS",
)
# Nobody is to phone home or to chat while clocks run.
_QUIET = {
    "PYTHONWARNINGS": "ignore",
    "DO_NOT_TRACK": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_OFFLINE": "1",
    "TOKENIZERS_PARALLELISM": "false",
}


class RowError(Exception):
    """A competitor cannot be measured; the sentence goes into its row."""


class WorkerProcess:
    """One worker process with a problem loaded.

    Args:
        environment: Variables beside those of this process.
        folder: Where the arrays are.
        shape: The problem.
        threads: Threads of every competitor.

    Raises:
        RowError: It does not start, such as when this processor lacks the instructions asked for.
    """

    def __init__(
        self, environment: Mapping[str, str], folder: Path, shape: Shape, threads: int
    ) -> None:
        pools = dict.fromkeys(_POOLS, str(threads))
        # The package may lie in the current folder only.
        path = os.pathsep.join(p for p in (_package_folder(), os.environ.get("PYTHONPATH")) if p)
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "mmi_hpc.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **pools, **_QUIET, "PYTHONPATH": path, **environment},
        )
        try:
            self.isa = str(
                self.ask("open", folder=str(folder), shape=asdict(shape), threads=threads)["isa"]
            )
        except BaseException:
            self.close()
            raise

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Send one request and wait for the reply.

        Raises:
            RowError: The competitor raised, or the process died.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps({"do": do, **arguments}) + "\n")
            self._process.stdin.flush()
            line = self._process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise RowError(self._epitaph())
        reply: dict[str, Any] = json.loads(line)
        if "error" in reply:
            raise RowError(reply["error"])
        return reply

    @property
    def alive(self) -> bool:
        """Whether it can be asked again."""
        return self._process.poll() is None

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None and not stream.closed:
                _close_quietly(stream)

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _epitaph(self) -> str:
        code = self._process.wait()
        if code < 0:
            names = {number.value: number.name for number in signal.Signals}
            return f"its process was ended by {names.get(-code, f'signal {-code}')}"
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        last = lines[-1] if lines else "it said nothing"
        return f"its process ended with code {code}: {last}"[:300]


def _package_folder() -> str:
    return str(Path(__file__).resolve().parents[2])


def _close_quietly(stream: Any) -> None:
    try:
        stream.close()
    except BrokenPipeError:
        return  # unsent bytes to a process that is gone
