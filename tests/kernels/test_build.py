"""The build says in one sentence what it cannot do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

# Older ones cannot read pyproject.toml; an isolated build brings its own.
pytest.importorskip("setuptools", minversion="77")

SETUP = Path(__file__).parents[2] / "setup.py"


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("MMI_CUDA", "on", "MMI_CUDA=on: this version has CPU kernels only"),
        ("MMI_CUDA", "yes", "MMI_CUDA='yes' is not known: use off, auto or on."),
        ("CXX", "/nowhere/g++", "No C++17 compiler was found (looked for /nowhere/g++)"),
    ],
)
def test_a_build_that_cannot_be_done_ends_with_a_sentence(variable, value, message, tmp_path):
    command = [sys.executable, str(SETUP), "-q", "build_ext", "--build-temp", str(tmp_path)]
    command += ["--build-lib", str(tmp_path)]
    environment = os.environ | {variable: value}
    result = subprocess.run(
        command, cwd=SETUP.parent, env=environment, capture_output=True, text=True, check=False
    )
    assert result.returncode != 0
    assert message in result.stderr
    assert "Traceback" not in result.stderr
    assert list(tmp_path.iterdir()) == []
