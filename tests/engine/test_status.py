"""Status reads files: waiting, running with rate and time left, failed, done."""

from __future__ import annotations

from mmi_hpc.engine.fingerprints import open_stage
from mmi_hpc.engine.status import as_json, count_done, status
from mmi_hpc.errors import EXIT_DONE


def states(run):
    return {row.stage: row.state for row in status(run)}


def test_a_run_that_was_not_started_is_waiting(toy):
    assert states(toy.run()) == {"source": "waiting", "times": "waiting", "total": "waiting"}


def test_a_run_in_the_middle_tells_rows_rate_and_time_left(toy):
    run = toy.run(shard_rows=5)
    assert toy.work(run, "source")[0] == EXIT_DONE
    assert toy.work(run, "times", TOY_ERROR_SHARD="3", TOY_SECONDS="0.05")[0] == 1
    row = status(run)[1]
    assert (row.state, row.shards, row.done, row.failed, row.rows) == ("failed", 4, 3, 1, 15)
    assert row.rate > 0
    assert row.eta_seconds > 0
    assert count_done(run) == 7


def test_a_complete_run_is_done(toy):
    run = toy.run(fail_odd=True)
    assert toy.work(run)[0] == EXIT_DONE
    content = as_json(run)
    assert [stage["state"] for stage in content["stages"]] == ["done"] * 3
    assert [stage["rows"] for stage in content["stages"]] == [20, 10, 1]
    assert [stage["failures"] for stage in content["stages"]] == [0, 10, 0]


def test_work_of_before_an_earlier_stage_was_done_anew_is_not_shown_as_done(toy):
    run = toy.run()
    assert toy.work(run)[0] == EXIT_DONE
    source = open_stage(run, "source")
    source.summary_path.unlink()
    source.marker_path(0).unlink()
    assert states(run) == {"source": "running", "times": "waiting", "total": "waiting"}
