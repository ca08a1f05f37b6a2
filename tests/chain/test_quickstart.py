"""The quickstart's dataset: LLaVA's layout, real images, the same bytes whatever happens."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image


def test_the_last_two_lines_say_where_dataset_and_report_are(undisturbed):
    dataset, report = undisturbed.output.splitlines()[-2:]
    assert dataset.startswith("dataset: ")
    assert dataset.endswith("/out/export/llava.json")
    assert Path(dataset.removeprefix("dataset: ")).is_file()
    assert report.startswith("report: ")
    assert report.endswith("/report/index.html")
    assert "<html" in Path(report.removeprefix("report: ")).read_text()


def test_the_dataset_is_llava_json_and_every_image_opens(undisturbed):
    files = undisturbed.export()
    records = json.loads(files["llava.json"])
    assert len(records) >= 30
    assert len({record["id"] for record in records}) == len(records)
    for record in records:
        assert set(record) == {"id", "image", "conversations"}
        speakers = [turn["from"] for turn in record["conversations"]]
        assert speakers == ["human", "gpt"] * (len(speakers) // 2)
        texts = [turn["value"] for turn in record["conversations"]]
        assert texts[0].startswith("<image>\n")
        assert sum(text.count("<image>") for text in texts) == 1
        assert all(text.strip() for text in texts)
        Image.open(BytesIO(files[record["image"]])).load()


def test_the_provenance_says_that_no_model_wrote_it(undisturbed):
    files = undisturbed.export()
    lines = [json.loads(line) for line in files["provenance.jsonl"].splitlines()]
    assert {line["engine"] for line in lines} == {"rules"}
    assert json.loads(files["manifest.json"])["written_without_a_model"] is True


def test_four_workers_and_shards_of_five_give_the_same_bytes(chain, undisturbed):
    chain.done("site.workers=4", "shard_rows=5")
    assert chain.export() == undisturbed.export()


def test_the_baseline_instruction_set_gives_the_same_bytes(chain, undisturbed):
    chain.done(variables={"MMI_ISA": "scalar"})
    assert chain.export() == undisturbed.export()


def children(pid):
    """Processes started by `pid`."""
    try:
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    except FileNotFoundError:
        return []
    return [int(child) for child in listed.split()]


@pytest.mark.slow
def test_killed_at_twenty_random_moments_it_gives_the_same_bytes(chain, undisturbed):
    seed = random.SystemRandom().randrange(10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    settings = ("shard_rows=4", "site.workers=2", "site.stale_seconds=3", "site.beat_seconds=0.2")
    kills = 0
    process = chain.start(*settings)
    while kills < 20:
        time.sleep(draw.uniform(0.05, 2.0))
        if process.poll() is not None:
            process.communicate()
            process = chain.start(*settings)
            continue
        workers = children(process.pid)
        # Most kills hit one worker; some hit the launch itself, as a closed laptop would.
        victim = process.pid if draw.random() < 0.15 or not workers else draw.choice(workers)
        for pid in [*workers, victim] if victim == process.pid else [victim]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        kills += 1
    process.communicate()
    chain.done(*settings)
    assert chain.export() == undisturbed.export()


def test_a_changed_answer_setting_runs_answer_screen_and_export_and_nothing_else(undisturbed):
    before = undisturbed.export()
    settings = ("site.workers=1", "shard_rows=500", "answer.examples=1")
    refused = undisturbed.launch(*settings, options=())
    assert refused.returncode == 64
    assert "answer.examples: 2 -> 1" in refused.stdout
    assert "--yes" in refused.stderr
    stdout = undisturbed.done(*settings)
    assert planned(stdout, "run") == ["answer", "screen", "export"]
    assert len(planned(stdout, "reuse")) == 12
    # And back: everything is there already.
    stdout = undisturbed.done("site.workers=1", "shard_rows=500")
    assert planned(stdout, "run") == []
    assert undisturbed.export() == before


def planned(stdout, action):
    """The stages for which a launch announced this action."""
    words = [line.split()[:2] for line in stdout.splitlines() if line.startswith(" ")]
    return [pair[0] for pair in words if len(pair) == 2 and pair[1] == action]


def test_the_same_photos_from_another_place_are_not_described_again(chain, tmp_path):
    first, second = tmp_path / "a", tmp_path / "elsewhere" / "b"
    stages = "stages=[ingest,describe]"
    for folder in (first, second):
        folder.mkdir(parents=True)
        Image.new("RGB", (40, 30), "red").save(folder / "red.png")
        (folder / "red.txt").write_text("A red square on a table.")
    for folder in (first, second):
        chain.done(
            stages, "name=places", "ingest.source.kind=folder", f"ingest.source.path={folder}"
        )
    assert len(list((chain.root / "store" / "describe").iterdir())) == 1


def test_verify_agrees_and_notices_a_damaged_output(undisturbed, tmp_path):
    copy = tmp_path / "runs"
    shutil.copytree(undisturbed.root, copy, symlinks=True)

    def verify(*options):
        return subprocess.run(
            [sys.executable, "-m", "mmi_hpc", "verify", str(copy / "quickstart"), *options],
            capture_output=True,
            text=True,
        )

    assert verify("--deep").returncode == 0
    answers = next((copy / "quickstart" / "stages" / "answer" / "out").glob("*.jsonl"))
    data = bytearray(answers.read_bytes())
    data[len(data) // 2] ^= 1
    answers.write_bytes(data)
    assert verify().returncode == 0
    deep = verify("--deep")
    assert deep.returncode == 1
    assert "answer shard 0" in deep.stdout
    answers.write_bytes(data[:-10])
    assert verify().returncode == 1


def test_status_reads_files_and_imports_nothing_heavy(undisturbed):
    script = (
        "import sys, runpy\n"
        f"sys.argv = ['mmi_hpc', 'status', {str(undisturbed.root / 'quickstart')!r}, '--json']\n"
        "try:\n    runpy.run_module('mmi_hpc', run_name='__main__')\n"
        "except SystemExit as e:\n    assert not e.code, e.code\n"
        "names = set(sys.modules)\n"
        "heavy = names & {'torch', 'h5py', 'numpy', 'open_clip', 'transformers', 'PIL'}\n"
        "assert not heavy, heavy\n"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert found.returncode == 0, found.stderr
    stages = json.loads(found.stdout)["stages"]
    assert {stage["state"] for stage in stages} == {"done"}


def test_a_plan_and_a_dry_run_leave_no_run_behind(undisturbed):
    before = sorted(path.name for path in undisturbed.root.iterdir())
    link = os.readlink(undisturbed.root / "quickstart")
    found = undisturbed.launch("cluster.k=7", "shard_rows=500", options=("--dry-run",))
    assert found.returncode == 0
    assert planned(found.stdout, "run")[0] == "cluster"
    assert sorted(path.name for path in undisturbed.root.iterdir()) == before
    assert os.readlink(undisturbed.root / "quickstart") == link
