"""What the tests of the engines share."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest


@pytest.fixture
def no_thread_is_left() -> Iterator[None]:
    """After the test there are no more threads of the engine than before."""

    def engines() -> set[threading.Thread]:
        return {t for t in threading.enumerate() if t.name.startswith(("requests", "asyncio"))}

    before = engines()
    yield
    assert engines() <= before
