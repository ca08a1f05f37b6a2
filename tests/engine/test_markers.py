"""Markers: strict when read back; nothing torn or foreign is ever taken for a result."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmi_hpc.engine.markers import SCHEMA, Marker, Output, read_marker, size_of
from mmi_hpc.files import dump_json, load_json


def marker(**changes):
    values = {
        "schema": SCHEMA,
        "stage": "answer",
        "shard": 3,
        "attempt": 1,
        "fingerprint": "f" * 16,
        "output": Output("out/00003.1.jsonl", 100, 5, "0" * 32),
        "failures": Output("failures/00003.1.jsonl", 50, 2, "1" * 32),
        "left_out": 1,
        "started": 1.5,
        "seconds": 2.5,
        "worker": "w",
        "environment": {"machine": "cpu"},
        **changes,
    }
    return Marker(**values)


def test_a_marker_reads_back_as_it_was(tmp_path):
    path = tmp_path / "m.json"
    path.write_bytes(marker().encode())
    assert read_marker(path) == marker()
    assert marker().failed == 1
    assert marker(failures=None, left_out=0).failed == 0


@given(cut=st.integers(0, len(marker().encode()) - 2))
def test_no_truncated_marker_is_accepted(tmp_path_factory, cut):
    path = tmp_path_factory.mktemp("cut") / "m.json"
    path.write_bytes(marker().encode()[:cut])
    with pytest.raises(ValueError, match=r"m\.json"):
        read_marker(path)


@pytest.mark.parametrize("field", ["stage", "output", "shard", "left_out", "environment"])
def test_a_missing_field_is_refused(tmp_path, field):
    path = tmp_path / "m.json"
    path.write_bytes(marker().encode())
    content = load_json(path)
    del content[field]
    path.write_bytes(dump_json(content))
    with pytest.raises(ValueError, match="no done marker"):
        read_marker(path)


def test_an_unknown_field_and_another_schema_are_refused(tmp_path):
    path = tmp_path / "m.json"
    path.write_bytes(marker().encode())
    content = load_json(path)
    path.write_bytes(dump_json({**content, "extra": 1}))
    with pytest.raises(ValueError, match="no done marker"):
        read_marker(path)
    path.write_bytes(dump_json({**content, "schema": SCHEMA + 1}))
    with pytest.raises(ValueError, match="schema"):
        read_marker(path)


def test_the_size_of_a_folder_is_that_of_its_files(tmp_path):
    (tmp_path / "a").write_bytes(b"123")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b").write_bytes(b"45")
    assert size_of(tmp_path) == 5
    assert size_of(tmp_path / "a") == 3
