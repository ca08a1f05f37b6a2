"""Bad input: never a traceback, never a lost record, always a sentence that helps."""

from __future__ import annotations

import io
import os
import struct
import subprocess
import tarfile
import zlib

import pytest
from PIL import Image

from mmi_hpc.engine import attempt
from mmi_hpc.engine.run import find

INGEST = "stages=[ingest,describe]"


def png(size=(32, 24), colour="red"):
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, "PNG")
    return buffer.getvalue()


def jpeg():
    buffer = io.BytesIO()
    Image.effect_noise((200, 200), 90).convert("RGB").save(buffer, "JPEG")
    return buffer.getvalue()


def bomb():
    """A PNG of 70 bytes that claims 60,000 x 60,000 pixels."""

    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def failures(run, stage):
    """The ledger of a stage: id -> reason."""
    return {row.id: row.reason for row in attempt.failures(run.opened(stage))}


def is_sentence(finished, code):
    """The command ended with this code, and with a sentence instead of a traceback."""
    assert finished.returncode == code, finished.stdout + finished.stderr
    assert "Traceback" not in finished.stdout + finished.stderr
    assert "error: " in finished.stderr
    return finished.stderr


def test_broken_images_and_texts_go_to_the_ledger_and_the_rest_goes_on(chain, tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    good = {"good.png": png(), "undescribed.png": png(colour="blue")}
    broken = {
        "truncated.jpg": jpeg()[:2000],
        "empty.png": b"",
        "bomb.png": bomb(),
        "text.jpg": b"this is no image",
        "latin.png": png(colour="green"),
    }
    for name, data in (good | broken).items():
        (folder / name).write_bytes(data)
        if name != "undescribed.png":
            (folder / name).with_suffix(".txt").write_text("A plain square.")
    (folder / "latin.txt").write_bytes(b"caf\xe9 on a table")
    (folder / "undescribed.txt").write_text("   \n")
    chain.done(INGEST, "name=bad", "ingest.source={kind: folder, path: '" + str(folder) + "'}")
    run = find(chain.root / "bad")
    ingest = failures(run, "ingest")
    assert set(ingest) == set(broken)
    assert "cannot be decoded" in ingest["truncated.jpg"]
    assert "0 bytes" in ingest["empty.png"]
    assert "60000 x 60000" in ingest["bomb.png"]
    assert "not an image" in ingest["text.jpg"]
    assert "not valid UTF-8" in ingest["latin.png"]
    describe = failures(run, "describe")
    assert set(describe) == {"undescribed.png"}
    assert "no description" in describe["undescribed.png"]
    assert run.opened("describe").summary()["rows"] == 1


def test_names_that_lead_out_of_a_tar_are_refused_and_nothing_is_extracted(chain, tmp_path):
    tars = tmp_path / "tars"
    tars.mkdir()
    with tarfile.open(tars / "00000.tar", "w") as tar:
        for name in ("../../evil", "/tmp/evil-absolute", "good"):
            for suffix, data in ((".jpg", png()), (".txt", b"A square.")):
                member = tarfile.TarInfo(name + suffix)
                member.size = len(data)
                tar.addfile(member, io.BytesIO(data))
    source = "{kind: webdataset, path: '" + str(tars) + "', text: description}"
    chain.done(INGEST, "name=tar", f"ingest.source={source}")
    run = find(chain.root / "tar")
    assert run.opened("describe").summary()["rows"] == 1
    reasons = failures(run, "ingest")
    assert len(reasons) == 2
    assert all("leads out of the archive" in reason for reason in reasons.values())
    assert not list(tmp_path.rglob("evil*"))
    assert not os.path.exists("/tmp/evil-absolute.jpg")


def test_a_repeated_id_is_a_failure_of_its_second_record(chain, tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text('{"id": "a", "description": "One."}\n{"id": "a", "description": "Two."}\n')
    source = "{kind: jsonl, path: '" + str(path) + "'}"
    chain.done(INGEST, "name=twice", "shard_rows=1", f"ingest.source={source}")
    run = find(chain.root / "twice")
    assert run.opened("describe").summary()["rows"] == 1
    assert "repeats the id 'a'" in failures(run, "ingest")["a"]


def test_a_stage_that_gives_nothing_stops_the_chain_and_says_why(chain, tmp_path):
    (tmp_path / "photos").mkdir()
    (tmp_path / "photos" / "a.png").write_bytes(png())
    source = "{kind: folder, path: '" + str(tmp_path / "photos") + "'}"
    message = is_sentence(chain.launch(f"ingest.source={source}"), 1)
    assert "stage describe gave no row: 1 records failed" in message
    assert "describe.by=llm" in message


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        (("answer.exmples=1",), "Did you mean answer.examples?"),
        (("anwser.examples=1",), "Did you mean answer?"),
        (("answer.examples=many",), "answer.examples"),
        (("cluster.k=0",), "cluster.k"),
        (
            ("ingest.source={kind: folder, path: /nowhere/photos}",),
            "/nowhere/photos does not exist",
        ),
        (("ingest.source={kind: folder, pth: x}",), "path"),
        (("stages=[ingest,describ]",), "Did you mean describe?"),
        (("stages=[describe]",), "ingest"),
        (("propose.seeds=/nowhere/seeds.json",), "/nowhere/seeds.json"),
        (("embed.encoder.model=/nowhere/model",), "/nowhere/model"),
        (("answer.llm.engine=openai",), "answer.llm.model"),
        (
            ("answer.llm={engine: openai, model: m, api_key_env: NO_SUCH_KEY_HERE}",),
            "NO_SUCH_KEY_HERE",
        ),
        (("export.exclude=[nonsense]",), "nonsense"),
        (("name=../evil",), "name"),
    ],
)
def test_a_wrong_setting_is_one_clear_error_before_anything_starts(chain, settings, says):
    message = is_sentence(chain.launch(*settings), 64)
    assert says in message
    assert not (chain.root / "store" / "describe").exists()


def test_a_missing_recipe_is_a_clear_error(chain, tmp_path):
    message = is_sentence(chain.launch(recipe=tmp_path / "none.yaml"), 64)
    assert "there is no configuration file" in message


@pytest.fixture
def mount(tmp_path):
    """Mounts a small file system; skips where that is not allowed."""
    place = tmp_path / "mounted"
    place.mkdir()
    mounted = []

    def make(*options, size="2m"):
        command = [
            "mount",
            "-t",
            "tmpfs",
            "-o",
            ",".join([f"size={size}", *options]),
            "tmpfs",
            place,
        ]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
        mounted.append(place)
        return place

    yield make
    for path in mounted:
        subprocess.run(["umount", "-l", path], check=True)


def test_a_read_only_run_folder_is_a_clear_error(chain, mount):
    chain.root = mount("ro") / "runs"
    message = is_sentence(chain.launch(INGEST), 69)
    assert "read-only" in message
    assert "root=PATH" in message


def test_a_full_disk_is_a_clear_error_and_the_run_goes_on_once_there_is_room(chain, mount):
    place = mount(size="2m")
    chain.root = place / "runs"
    message = is_sentence(chain.launch(INGEST, "site.workers=1"), 69)
    assert "the disk is full" in message
    subprocess.run(["mount", "-o", "remount,size=64m", place], check=True)
    chain.done(INGEST, "site.workers=1")
    assert find(chain.root / "quickstart").opened("describe").summary()["rows"] == 21
