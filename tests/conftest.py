"""What tests of several folders share."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

# Helpers lie beside the tests that they belong to.
for folder in ("bench", "embed", "llm"):
    sys.path.insert(0, str(Path(__file__).parent / folder))
# No test needs a model hub; read when a library of theirs is first imported.
os.environ["HF_HUB_OFFLINE"] = "1"


@pytest.fixture
def server() -> Iterator[Any]:
    """A scripted chat server: answers everything with a regular reply until a test says else."""
    from fault_server import FaultServer

    running = FaultServer()
    try:
        yield running
    finally:
        running.close()


@pytest.fixture(scope="session")
def tiny_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a tiny random open_clip model."""
    pytest.importorskip("open_clip")
    import tiny_clip

    return tiny_clip.build(tmp_path_factory.mktemp("tiny_clip") / "model")
