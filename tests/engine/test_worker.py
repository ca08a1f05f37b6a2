"""Workers on a toy run: however many, killed, stopped and woken, they give the same bytes."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from mmi_hpc.errors import EXIT_DONE, EXIT_REQUEUE, EXIT_WORK_FAILED


def wait_for(condition, seconds=30.0):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.01)


@pytest.fixture
def expected(toy, tmp_path_factory):
    """Rows of all stages of an undisturbed run by one worker."""
    other = type(toy)(tmp_path_factory.mktemp("undisturbed"))
    run = other.run(shard_rows=500)
    assert other.work(run)[0] == EXIT_DONE
    return {stage: other.rows(run, stage) for stage in run.stages}


def test_one_worker_completes_all_stages(toy, expected):
    assert expected["total"] == b'{"id":"total","value":570}\n'
    assert expected["times"].count(b"\n") == 20


@pytest.mark.parametrize("shard_rows", [1, 3, 20])
def test_shards_of_any_size_give_the_same_rows(toy, expected, shard_rows):
    run = toy.run(shard_rows=shard_rows)
    assert toy.work(run)[0] == EXIT_DONE
    assert {stage: toy.rows(run, stage) for stage in run.stages} == expected


def test_four_workers_share_the_shards_and_give_the_same_rows(toy, expected):
    run = toy.run(shard_rows=1)
    workers = [toy.start(run, TOY_SECONDS="0.02") for _ in range(4)]
    assert [worker.wait(60) for worker in workers] == [EXIT_DONE] * 4
    assert {stage: toy.rows(run, stage) for stage in run.stages} == expected
    folder = run.opened("times")
    makers = {folder.marker(shard).worker for shard in range(20)}
    assert len(makers) > 1


def test_workers_killed_at_random_moments_lose_and_repeat_nothing(toy, expected):
    run = toy.run(shard_rows=2)
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    for _ in range(20):
        worker = toy.start(run, TOY_SECONDS="0.05")
        time.sleep(draw.uniform(0.0, 1.0))
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    assert toy.work(run)[0] == EXIT_DONE
    assert {stage: toy.rows(run, stage) for stage in run.stages} == expected


def test_a_recorded_reply_is_not_asked_for_again_after_a_kill(toy, tmp_path):
    run = toy.run(shard_rows=20)
    worker = toy.start(run, TOY_SECONDS="0.2")
    wait_for(lambda: run.link("times").exists())
    folder = run.opened("times")
    wait_for(lambda: folder.replies(0) and folder.replies(0)[0].read_bytes().count(b"\n") >= 3)
    worker.kill()
    worker.wait()
    assert toy.work(run)[0] == EXIT_DONE
    segments = [path.read_bytes() for path in folder.replies(0)]
    keys = [json.loads(line)["key"] for part in segments for line in part.splitlines() if line]
    assert len(segments) == 2
    assert sorted(keys) == sorted({f"n{i}" for i in range(20)})


def test_a_torn_last_line_of_a_dead_writer_is_ignored(toy, expected):
    run = toy.run(shard_rows=20)
    assert toy.work(run, "source")[0] == EXIT_DONE
    from mmi_hpc.engine.fingerprints import open_stage

    folder = open_stage(run, "times")
    torn = b'{"key":"n0","reply":{"text":"0","finish_reason":"stop","model":"toy","prompt'
    (folder.path / "replies" / "00000.0.jsonl").write_bytes(torn)
    (folder.path / "lease" / "00000.0").write_text('{"worker":"dead-1-0"}')
    run.workers.mkdir(exist_ok=True)
    (run.workers / "dead-1-0.json").write_text('{"beat":-1,"state":"left"}')
    assert toy.work(run)[0] == EXIT_DONE
    assert toy.rows(run, "total") == expected["total"]
    assert (folder.path / "replies" / "00000.0.jsonl").read_bytes() == torn
    assert folder.marker(0).attempt == 1


def test_a_worker_stopped_in_mid_append_and_woken_later_changes_nothing(toy, expected, tmp_path):
    run = toy.run(shard_rows=20)
    gate = tmp_path / "gate"
    first = toy.start(run, "source", "times", TOY_GATE_TIMES_0=str(gate))
    wait_for(Path(f"{gate}.reached").exists)
    first.send_signal(signal.SIGSTOP)
    folder = run.opened("times")
    # The first is in the middle of its shard: half a line stands at the end of its own segment.
    own = folder.path / "replies" / "00000.0.jsonl"
    own.write_bytes(b'{"key":"n0","reply":{"text":"99')
    assert toy.work(run)[0] == EXIT_DONE
    after = snapshot(run.root / "store")
    gate.touch()
    first.send_signal(signal.SIGCONT)
    assert first.wait(30) == EXIT_DONE
    changed = {
        path for path, data in snapshot(run.root / "store").items() if after.get(path) != data
    }
    # It may go on with the segment that only it writes; nothing else is touched.
    assert changed <= {own}
    assert {stage: toy.rows(run, stage) for stage in run.stages} == expected
    assert folder.marker(0).attempt == 1


def test_a_paused_owner_drops_its_work_while_its_successor_is_still_at_it(toy, expected, tmp_path):
    run = toy.run(shard_rows=20)
    gates = [tmp_path / "first", tmp_path / "second"]
    first = toy.start(run, "source", "times", TOY_GATE_TIMES_0=str(gates[0]))
    wait_for(Path(f"{gates[0]}.reached").exists)
    first.send_signal(signal.SIGSTOP)
    second = toy.start(run, "source", "times", TOY_GATE_TIMES_0=str(gates[1]))
    wait_for(Path(f"{gates[1]}.reached").exists)
    gates[0].touch()
    first.send_signal(signal.SIGCONT)
    folder = run.opened("times")
    # The first has lost its lease: it finishes its rows, sees that, and waits for the second.
    wait_for(lambda: (folder.path / "out" / "00000.0.jsonl").exists())
    wait_for(lambda: not (folder.path / "out" / "00000.0.jsonl").exists())
    assert not folder.is_done(0)
    gates[1].touch()
    assert second.wait(30) == EXIT_DONE
    assert first.wait(30) == EXIT_DONE
    assert folder.marker(0).attempt == 1
    assert toy.rows(run, "times") == expected["times"]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR2, signal.SIGINT])
def test_a_signal_asks_for_requeue_and_keeps_what_is_recorded(toy, number):
    run = toy.run(shard_rows=20)
    worker = toy.start(run, TOY_SECONDS="0.1")
    wait_for(lambda: run.link("times").exists() and run.opened("times").replies(0))
    worker.send_signal(number)
    assert worker.wait(30) == EXIT_REQUEUE
    assert toy.work(run)[0] == EXIT_DONE
    assert toy.rows(run, "total") == b'{"id":"total","value":570}\n'


def test_a_shard_that_fails_stops_the_chain_with_its_error_and_retry_goes_on(toy):
    from mmi_hpc.engine.retry import retry
    from mmi_hpc.engine.status import status

    run = toy.run(shard_rows=5)
    code, log = toy.work(run, TOY_ERROR_SHARD="2")
    assert code == EXIT_WORK_FAILED
    assert "shard 2 is cursed" in log
    assert f"python -m mmi_hpc retry {run.path}" in log
    found = {row.stage: row for row in status(run)}
    assert (found["times"].state, found["times"].done, found["times"].failed) == ("failed", 3, 1)
    assert found["times"].error == "shard 2 is cursed"
    assert found["total"].state == "waiting"
    # Nothing is tried again behind the user's back.
    assert toy.work(run)[0] == EXIT_WORK_FAILED
    assert [(item.stage, item.shards) for item in retry(run)] == [("times", (2,))]
    assert toy.work(run)[0] == EXIT_DONE
    assert run.opened("times").marker(2).attempt == 2


def test_failed_records_are_in_the_ledger_and_can_be_tried_again(toy):
    from mmi_hpc.engine.attempt import LEDGER
    from mmi_hpc.engine.retry import retry
    from mmi_hpc.engine.status import status

    run = toy.run(shard_rows=5, fail_odd=True)
    assert toy.work(run)[0] == EXIT_DONE
    folder = run.opened("times")
    assert folder.summary()["failures"] == 10
    ledger = folder.path / folder.marker(0).failures.path
    assert [row.id for row in LEDGER.read(ledger)] == ["n1", "n3"]
    total = run.opened("total")
    freed = retry(run, failed_records=True)
    assert [(item.stage, item.shards) for item in freed] == [("times", (0, 1, 2, 3))]
    states = {row.stage: row.state for row in status(run)}
    assert states == {"source": "done", "times": "running", "total": "waiting"}
    assert toy.work(run)[0] == EXIT_DONE
    # The same rows came out, so what follows need not be done again.
    assert run.opened("total").path == total.path


def test_a_later_stage_alone_needs_its_inputs(toy):
    run = toy.run()
    code, log = toy.work(run, "times")
    assert code == EXIT_WORK_FAILED
    assert "the stage source is not complete yet" in log


def test_a_folder_that_is_no_run_is_a_clear_error(toy, tmp_path):
    worker = subprocess.run(
        [sys.executable, "-m", "mmi_hpc.engine.worker", str(tmp_path)],
        env=toy.environment(),
        capture_output=True,
        text=True,
    )
    assert worker.returncode == 64
    assert "is no run" in worker.stderr
    assert "Traceback" not in worker.stderr


def test_run_folders_are_private(toy):
    run = toy.run()
    assert toy.work(run)[0] == EXIT_DONE
    folder = run.opened("times").path
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "done" / "00000.json").stat().st_mode & 0o077 == 0


def snapshot(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_an_attempt_that_ends_with_an_error_leaves_no_output_behind(toy):
    run = toy.run(shard_rows=20)
    assert toy.work(run, TOY_ERROR_SHARD="0")[0] == EXIT_WORK_FAILED
    folder = run.opened("times").path
    assert list((folder / "out").iterdir()) == []
    assert len(list((folder / "failed").iterdir())) == 2


def with_empty(stage):
    """The toy's stages with one among them that gives no row."""
    return [
        ("source", "toy_stages:Source"),
        (stage.lower(), f"toy_stages:{stage}"),
        ("times", "toy_stages:Times"),
    ]


def test_a_stage_without_rows_stops_the_chain(toy):
    run = toy.run(stages=with_empty("Insistent"))
    code, log = toy.work(run)
    assert code == EXIT_WORK_FAILED
    assert "stage insistent gave no row" in log
    assert run.opened("times") is None


def test_a_stage_that_may_be_empty_does_not_stop_it(toy, expected):
    run = toy.run(stages=with_empty("Negative"))
    code, log = toy.work(run)
    assert code == EXIT_DONE, log
    assert toy.rows(run, "negative") == b""
    assert toy.rows(run, "times") == expected["times"]
