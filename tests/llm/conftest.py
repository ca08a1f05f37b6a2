"""The scripted server of this folder's tests."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from fault_server import FaultServer


@pytest.fixture
def server() -> Iterator[FaultServer]:
    """A server that answers everything with a regular reply until a test scripts it."""
    running = FaultServer()
    try:
        yield running
    finally:
        running.close()


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """After the test there are no more threads of the engine than before."""

    def engines() -> set[threading.Thread]:
        return {t for t in threading.enumerate() if t.name.startswith(("requests", "asyncio"))}

    before = engines()
    yield
    assert engines() <= before
