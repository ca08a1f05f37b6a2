"""Plans: what runs, what is reused, and why."""

from __future__ import annotations

import pytest

from mmi_hpc.engine import planner
from mmi_hpc.engine.fingerprints import open_stage
from mmi_hpc.errors import EXIT_DONE, ConfigError


def actions(run, before=None):
    open_stage(run, "source", refresh=True)
    return {plan.stage: (plan.action, plan.reason) for plan in planner.plan(run, before)}


def test_a_new_run_runs_everything(toy):
    found = actions(toy.run())
    assert {stage: action for stage, (action, _) in found.items()} == {
        "source": "run",
        "times": "run",
        "total": "run",
    }
    assert found["times"][1] == "source runs"


def test_a_changed_setting_runs_what_depends_on_it_and_says_so(toy):
    before = toy.run(factor=3)
    assert toy.work(before)[0] == EXIT_DONE
    run = toy.run(factor=4)
    found = actions(run, before)
    assert found["source"] == ("reuse", "")
    assert found["times"] == ("run", "changed: toy.factor")
    assert found["total"] == ("run", "times runs")


def test_work_of_another_run_is_shared(toy):
    before = toy.run(factor=3)
    assert toy.work(before)[0] == EXIT_DONE
    other = toy.run(factor=4)
    assert toy.work(other)[0] == EXIT_DONE
    assert {action for action, _ in actions(toy.run(factor=3), other).values()} == {"reuse"}


def test_half_done_work_is_continued(toy):
    run = toy.run(shard_rows=5)
    assert toy.work(run, TOY_ERROR_SHARD="3")[0] == 1
    assert actions(run)["times"] == ("continue", "1 of 4 shards are left")


def test_changes_are_listed_by_dotted_path():
    before = {"a": {"b": 1, "c": 2}, "d": 3, "gone": 0}
    after = {"a": {"b": 1, "c": 5}, "d": 3, "new": [1]}
    assert [(c.setting, c.before, c.after) for c in planner.changes(before, after)] == [
        ("a.c", 2, 5),
        ("gone", 0, None),
        ("new", None, [1]),
    ]


def test_a_stage_without_its_inputs_is_refused(toy):
    run = toy.run(stages=[("source", "toy_stages:Source"), ("total", "toy_stages:Total")])
    with pytest.raises(ConfigError, match="total reads times"):
        planner.check(run)
