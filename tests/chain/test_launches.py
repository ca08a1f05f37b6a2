"""Launches in the world as it is: behind links, from other folders, stopped, damaged."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from PIL import Image

from mmi_hpc.engine import attempt
from mmi_hpc.engine.run import find

SHORT = "stages=[ingest,describe]"


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(5):
        Image.new("RGB", (20, 10 + number), (40 * number, 0, 0)).save(folder / f"p{number}.bmp")
        (folder / f"p{number}.txt").write_text(f"A red field of shade {number} under the sky.")
    return folder


def source(folder):
    return "ingest.source={kind: folder, path: '" + str(folder) + "'}"


def snapshot(folder):
    return {p: p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_an_image_without_description_does_not_stop_matching_by_pixels(chain, photos, tiny_clip):
    (photos / "p3.txt").unlink()
    chain.done(
        source(photos),
        "name=gap",
        "embed.input=image",
        f"embed.encoder={{kind: open_clip, model: '{tiny_clip}'}}",
        "cluster.k=4",
        "shard_rows=2",
        "match.per_image=1",
    )
    run = find(chain.root / "gap")
    assert {row.id for row in attempt.failures(run.opened("describe"))} == {"p3.bmp"}
    records = json.loads(chain.export("gap")["llava.json"])
    assert len(records) == 4


def test_a_root_behind_a_symbolic_link_works_again_and_again(chain, photos, tmp_path):
    real = tmp_path / "deep" / "er" / "scratch"
    real.mkdir(parents=True)
    chain.root = tmp_path / "link"
    chain.root.symlink_to(real)
    chain.done(SHORT, source(photos), "name=linked")
    output = chain.done(SHORT, source(photos), "name=linked", "shard_rows=500")
    assert "describe" in output
    output = chain.done(SHORT, source(photos), "name=linked")
    assert not [line for line in output.splitlines() if line.split()[1:2] == ["run"]]
    assert find(chain.root / "linked").opened("describe").summary()["rows"] == 5


def test_a_root_that_is_a_file_is_a_clear_error(chain, tmp_path):
    (tmp_path / "file").write_text("")
    for root in (tmp_path / "file", tmp_path / "file" / "below"):
        chain.root = root
        finished = chain.launch(SHORT)
        assert finished.returncode in (1, 69)
        assert "error: " in finished.stderr
        assert "Traceback" not in finished.stderr


def test_square_brackets_in_a_path_are_shown_as_they_are(chain, photos, tmp_path):
    chain.root = tmp_path / "a[red]b[/x]" / "runs"
    command = chain.command(SHORT, "name=brackets", source(photos))
    command = [f"root='{chain.root}'" if c.startswith("root=") else c for c in command]
    finished = subprocess.run(command, capture_output=True, text=True, env=chain.environment())
    assert finished.returncode == 0, finished.stderr
    assert str(chain.root) in finished.stdout


def test_a_plan_changes_nothing_of_a_finished_run(chain, photos):
    chain.done(SHORT, source(photos), "name=kept")
    before = snapshot(chain.root)
    links = {p: os.readlink(p) for p in chain.root.rglob("*") if p.is_symlink()}
    Image.new("RGB", (9, 9)).save(photos / "new.bmp")
    for settings in (("shard_rows=2",), ()):
        planned = chain.launch(
            SHORT, source(photos), "name=kept", *settings, options=("--dry-run",)
        )
        assert planned.returncode == 0
    after = snapshot(chain.root)
    assert {p: after[p] for p in before} == before
    assert {p for p in after if "store" not in p.parts} == {
        p for p in before if "store" not in p.parts
    }
    assert {p: os.readlink(p) for p in chain.root.rglob("*") if p.is_symlink()} == links


def test_a_new_photo_makes_another_run_that_describes_only_it_anew(chain, photos):
    chain.done(SHORT, source(photos), "name=grown")
    first = find(chain.root / "grown")
    Image.new("RGB", (9, 9), "blue").save(photos / "p9.bmp")
    (photos / "p9.txt").write_text("A blue square on white paper.")
    chain.done(SHORT, source(photos), "name=grown")
    second = find(chain.root / "grown")
    assert first.path != second.path
    assert first.opened("describe").summary()["rows"] == 5
    assert second.opened("describe").summary()["rows"] == 6


def test_the_same_records_in_another_order_are_not_mixed_with_the_first(chain, tmp_path):
    lines = [
        json.dumps({"id": f"r{n}", "image": f"{n}.jpg", "description": f"A bird number {n} sings."})
        for n in range(6)
    ]
    counts = []
    for name, ordered in (("up", lines), ("down", lines[::-1])):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("\n".join(ordered) + "\n")
        chain.done(
            f"name={name}",
            "ingest.source={kind: jsonl, path: '" + str(path) + "'}",
            "cluster.k=4",
            "shard_rows=2",
            "match.per_image=1",
            "export.images=none",
        )
        counts.append(sorted(r["id"] for r in json.loads(chain.export(name)["llava.json"])))
    assert len(counts[0]) == 6
    assert counts[0] == counts[1]


def test_workers_may_run_in_another_folder(chain, photos, tmp_path):
    settings = (SHORT, "name=moved", "ingest.source={kind: folder, path: photos}")
    command = chain.command(*settings)
    done = subprocess.run(
        command, cwd=photos.parent, capture_output=True, text=True, env=python_path(chain)
    )
    assert done.returncode == 0, done.stderr
    run = find(chain.root / "moved")
    folder = run.opened("ingest")
    folder.summary_path.unlink()
    folder.marker_path(0).unlink()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    worker = [sys.executable, "-m", "mmi_hpc.engine.worker", str(run.path)]
    done = subprocess.run(worker, cwd=elsewhere, capture_output=True, env=python_path(chain))
    assert done.returncode == 0
    assert find(chain.root / "moved").opened("ingest").summary()["rows"] == 5


def python_path(chain):
    """The package is found from any folder."""
    return chain.environment(PYTHONPATH=str(Path(__file__).resolve().parents[2]))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_launch_that_is_told_to_stop_leaves_no_worker_behind(chain, number):
    process = chain.start("name=stopped")
    limit = time.monotonic() + 60
    workers = []
    while len(workers) < 2:
        assert time.monotonic() < limit
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        workers = listed.read_text().split() if listed.exists() else []
        time.sleep(0.05)
    time.sleep(1.0)
    process.send_signal(number)
    assert process.wait(60) == 130
    process.communicate()
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]
    chain.done(SHORT, "name=stopped")


def test_a_launch_under_nohup_survives_the_end_of_its_terminal(chain, photos):
    settings = ("name=nohup", source(photos), "stages=[ingest,describe,embed]")
    command = ["nohup", *chain.command(*settings)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=chain.environment(),
        start_new_session=True,
    )
    limit = time.monotonic() + 60
    while not (chain.root / "nohup").exists():
        assert time.monotonic() < limit
        time.sleep(0.02)
    process.send_signal(signal.SIGHUP)
    assert process.wait(120) == 0
    assert find(chain.root / "nohup").opened("embed").summary()["rows"] == 5


def test_a_launch_stopped_while_it_plans_leaves_no_draft(chain, tmp_path):
    fifo = tmp_path / "list.jsonl"
    os.mkfifo(fifo)
    # Reading the list waits for a writer that never comes.
    process = chain.start("name=slow", "ingest.source={kind: jsonl, path: '" + str(fifo) + "'}")
    limit = time.monotonic() + 60
    while not list(chain.root.glob(".draft-*")):
        assert time.monotonic() < limit
        assert process.poll() is None, process.communicate()[0]
        time.sleep(0.02)
    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == 130
    process.communicate()
    assert list(chain.root.glob(".draft-*")) == []


def test_a_name_that_is_a_folder_already_is_refused(chain, photos):
    chain.done(SHORT, source(photos), "name=first")
    folder = find(chain.root / "first").path
    finished = chain.launch(SHORT, source(photos), f"name={folder.name}")
    assert finished.returncode == 64
    assert "is taken" in finished.stderr
    assert chain.launch("stages=[]").returncode == 64


@pytest.mark.parametrize("name", ["store", "workers"])
def test_names_that_all_runs_share_are_refused(chain, name):
    finished = chain.launch(SHORT, f"name={name}")
    assert finished.returncode == 64
    assert "taken" in finished.stderr


def test_damage_is_told_as_a_sentence(chain, photos):
    chain.done(SHORT, source(photos), "name=torn", "shard_rows=2")
    run = find(chain.root / "torn")

    def call(*words):
        command = [sys.executable, "-m", *words]
        return subprocess.run(command, capture_output=True, text=True, env=chain.environment())

    folder = run.opened("describe")
    folder.marker_path(1).unlink()
    missing = call("mmi_hpc", "verify", str(run.path))
    assert missing.returncode == 1
    assert "marker is missing" in missing.stdout
    folder.summary_path.unlink()
    folder.marker_path(0).write_text('{"schema": 1, ')
    torn = call("mmi_hpc", "status", str(run.path))
    assert torn.returncode == 1
    assert "is not valid JSON" in torn.stderr
    unknown = call("mmi_hpc.engine.worker", str(run.path), "nosuch")
    assert unknown.returncode == 64
    assert "has no stage 'nosuch'" in unknown.stderr
    for finished in (missing, torn, unknown):
        assert "Traceback" not in finished.stderr
