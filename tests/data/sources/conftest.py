"""What the tests of every source ask of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from mmi_hpc.data.records import Failure, encode
from mmi_hpc.data.sources import Item, Source
from mmi_hpc.files import dump_json, load_json

Everything = list[Item | Failure]


@pytest.fixture
def read_all(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Source], Everything]:
    """Read a source as two sets of workers would, small slices and large, which must agree."""

    def read(source: Source) -> Everything:
        small, large = (_read(source, rows) for rows in (5, 500))
        assert small == large
        for found in small:
            if isinstance(found, Failure):
                encode(found)
            else:
                dump_json([found.id, found.name, found.description, found.alt_text])
        return small

    def _read(source: Source, rows: int) -> Everything:
        # A plan is kept as JSON and read by other processes, which make the source anew.
        path = tmp_path_factory.mktemp("plan") / "plan.json"
        path.write_bytes(dump_json(list(source.slices(rows))))
        again = type(source)(**source.model_dump())  # type: ignore[attr-defined]
        parts: list[Any] = load_json(path)
        assert all(part["rows"] <= rows for part in parts)
        return [found for part in parts for found in again.read(part)]

    return read
