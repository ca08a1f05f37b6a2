"""Leases: one holder at a time, stale ones are taken over by the own clock, nobody is harmed."""

from __future__ import annotations

import multiprocessing
import os
import time

import pytest

from mmi_hpc.engine import leases
from mmi_hpc.engine.stage_folder import StageFolder


@pytest.fixture
def folder(tmp_path):
    made = StageFolder(tmp_path / "stage")
    made.create({"fingerprint": "f"}, [{"rows": 1}] * 3)
    (tmp_path / "workers").mkdir()
    return made


@pytest.fixture
def observer(tmp_path):
    return leases.Observer(tmp_path / "workers", stale_seconds=0.3)


def beat(tmp_path, worker, number, state="alive"):
    (tmp_path / "workers" / f"{worker}.json").write_text(
        f'{{"beat": {number}, "state": "{state}"}}'
    )


def test_the_first_to_ask_gets_the_lease_and_the_second_does_not(folder, observer, tmp_path):
    beat(tmp_path, "a", 1)
    lease = leases.acquire(folder, 0, "a", observer)
    assert lease is not None
    assert lease.generation == 0
    assert leases.acquire(folder, 0, "b", observer) is None
    assert lease.is_held()


def test_a_living_holder_keeps_its_lease_however_long_it_takes(folder, observer, tmp_path):
    leases.acquire(folder, 0, "a", observer)
    for number in range(8):
        beat(tmp_path, "a", number)
        assert leases.acquire(folder, 0, "b", observer) is None
        time.sleep(0.1)


def test_a_silent_holder_is_replaced_and_learns_of_it(folder, observer, tmp_path):
    beat(tmp_path, "a", 5)
    old = leases.acquire(folder, 0, "a", observer)
    assert leases.acquire(folder, 0, "b", observer) is None
    time.sleep(0.35)
    new = leases.acquire(folder, 0, "b", observer)
    assert new is not None
    assert new.generation == 1
    assert not old.is_held()
    assert new.is_held()


def test_clocks_do_not_matter_only_whether_the_counter_moves(folder, observer, tmp_path):
    beat(tmp_path, "a", 5)
    leases.acquire(folder, 0, "a", observer)
    path = tmp_path / "workers" / "a.json"
    for hours in (-2, 2):
        os.utime(path, (time.time() + hours * 3600,) * 2)
        assert leases.acquire(folder, 0, "b", observer) is None


def test_a_worker_that_has_left_is_replaced_at_once(folder, observer, tmp_path):
    beat(tmp_path, "a", 5)
    leases.acquire(folder, 0, "a", observer)
    leases.declare_left(tmp_path / "workers", "a")
    assert leases.acquire(folder, 0, "b", observer).generation == 1


def test_a_holder_without_any_sign_of_life_is_replaced_after_a_while(folder, observer):
    leases.acquire(folder, 0, "ghost", observer)
    assert leases.acquire(folder, 0, "b", observer) is None
    time.sleep(0.35)
    assert leases.acquire(folder, 0, "b", observer).generation == 1


def test_an_attempt_that_failed_frees_its_shard(folder, observer, tmp_path):
    beat(tmp_path, "a", 1)
    leases.acquire(folder, 0, "a", observer)
    folder.attempt_path("failed", 0, 0, ".json").write_text('{"error": "x"}')
    assert leases.acquire(folder, 0, "b", observer).generation == 1


def test_heartbeats_move_the_counter_and_end_with_left(tmp_path):
    observer = leases.Observer(tmp_path, stale_seconds=0.2)
    with leases.Heartbeat(tmp_path, "w", 0.02):
        assert not observer.is_gone("w")
        time.sleep(0.3)
        assert not observer.is_gone("w")
    assert observer.is_gone("w")


def _race(path, shard, worker, start, results):
    folder = StageFolder(path)
    observer = leases.Observer(path.parent / "workers", stale_seconds=0.0)
    start.wait()
    lease = leases.acquire(folder, shard, worker, observer)
    results.put((worker, lease.generation if lease else None))


@pytest.mark.parametrize("stale", [False, True], ids=["free", "stale"])
def test_of_several_racing_workers_exactly_one_gets_each_generation(folder, tmp_path, stale):
    context = multiprocessing.get_context("spawn")
    if stale:
        leases.declare_left(tmp_path / "workers", "dead")
        leases.acquire(folder, 0, "dead", leases.Observer(tmp_path / "workers", 1))
    workers = [f"w{number}" for number in range(6)]
    for worker in workers:
        beat(tmp_path, worker, 1)
    start, results = context.Event(), context.Queue()
    processes = [
        context.Process(target=_race, args=(folder.path, 0, worker, start, results))
        for worker in workers
    ]
    for process in processes:
        process.start()
    start.set()
    outcome = [results.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()
    generations = [generation for _, generation in outcome if generation is not None]
    # stale_seconds=0 lets a racer see even a fresh winner as silent only on its second look.
    assert sorted(generations) == [1 if stale else 0]
