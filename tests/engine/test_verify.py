"""verify finds what no longer agrees with its marker."""

from __future__ import annotations

import pytest

from mmi_hpc.engine.verify import verify
from mmi_hpc.errors import EXIT_DONE
from mmi_hpc.files import dump_json, load_json


@pytest.fixture
def run(toy):
    made = toy.run(fail_odd=True)
    assert toy.work(made)[0] == EXIT_DONE
    return made


def problems(run, **options):
    return [(p.stage, p.shard, p.text) for p in verify(run, **options) if not p.warning]


def test_an_intact_run_agrees(run):
    assert problems(run) == []
    assert problems(run, deep=True) == []


def test_a_missing_and_a_shortened_output_are_found(run):
    folder = run.opened("times")
    folder.output_path(1).unlink()
    path = folder.output_path(2)
    path.write_bytes(path.read_bytes()[:-1])
    found = problems(run)
    assert [(stage, shard) for stage, shard, _ in found] == [("times", 1), ("times", 2)]
    assert "is missing" in found[0][2]
    assert "bytes" in found[1][2]


def test_other_rows_of_the_same_size_are_found_by_reading_them(run):
    path = run.opened("times").output_path(0)
    path.write_bytes(path.read_bytes().replace(b'"value":6', b'"value":7'))
    assert problems(run) == []
    assert "other rows" in problems(run, deep=True)[0][2]


def test_a_damaged_ledger_is_found(run):
    folder = run.opened("times")
    ledger = folder.path / folder.marker(0).failures.path
    ledger.write_bytes(ledger.read_bytes().replace(b"odd", b"odx"))
    assert "other rows" in problems(run, deep=True)[0][2]


def test_a_torn_marker_is_found(run):
    path = run.opened("times").marker_path(0)
    path.write_bytes(path.read_bytes()[:-30])
    assert "not valid JSON" in problems(run)[0][2]


def test_a_stage_made_on_several_machines_is_reported(run):
    path = run.opened("times").marker_path(0)
    marker = load_json(path)
    marker["environment"]["machine"] = "another processor"
    path.write_bytes(dump_json(marker))
    warnings = [p for p in verify(run) if p.warning]
    assert [w.stage for w in warnings] == ["times"]
    assert "another processor" in warnings[0].text
