"""Files as the only truth: one winner among writers, no half-written reads, stable identities."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmi_hpc import files

WRITERS = 8


def _race(folder: str, number: int, gate: object, results: object) -> None:
    gate.wait()  # type: ignore[attr-defined]
    content = str(number).encode() * 200_000
    won = files.publish(Path(folder) / "marker.json", content)
    results.put((number, won))  # type: ignore[attr-defined]


def test_exactly_one_of_racing_processes_publishes_and_its_content_is_whole(
    tmp_path: Path,
) -> None:
    context = multiprocessing.get_context("spawn")
    gate, results = context.Barrier(WRITERS), context.Queue()
    workers = [
        context.Process(target=_race, args=(str(tmp_path), number, gate, results))
        for number in range(WRITERS)
    ]
    for worker in workers:
        worker.start()
    outcomes = dict(results.get(timeout=60) for _ in workers)
    for worker in workers:
        worker.join()
    winners = [number for number, won in outcomes.items() if won]
    assert len(outcomes) == WRITERS
    assert len(winners) == 1
    assert (tmp_path / "marker.json").read_bytes() == str(winners[0]).encode() * 200_000
    assert os.listdir(tmp_path) == ["marker.json"]


def test_publish_leaves_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "done"
    assert files.publish(path, b"first")
    assert not files.publish(path, b"second")
    assert path.read_bytes() == b"first"
    assert os.listdir(tmp_path) == ["done"]


def test_a_link_that_was_made_but_denied_counts_as_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = os.link

    def repeats_a_lost_request(source: Path, target: Path) -> None:
        link(source, target)
        raise FileExistsError(errno.EEXIST, "File exists", str(target))

    monkeypatch.setattr(os, "link", repeats_a_lost_request)
    assert files.publish(tmp_path / "done", b"mine")
    assert (tmp_path / "done").read_bytes() == b"mine"


def test_a_failed_write_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.publish(tmp_path / "a", b"x")
    with pytest.raises(OSError, match="No space"):
        files.replace(tmp_path / "b", b"x")
    assert os.listdir(tmp_path) == []


def test_readers_of_a_replaced_file_never_see_a_mixture(tmp_path: Path) -> None:
    path = tmp_path / "beat.json"
    whole = [bytes([letter]) * 300_000 for letter in b"abcdef"]
    files.replace(path, whole[0])
    stop = threading.Event()

    def write() -> None:
        while not stop.is_set():
            for content in whole:
                files.replace(path, content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        seen = {path.read_bytes() for _ in range(300)}
    finally:
        stop.set()
        writer.join()
    assert seen <= set(whole)
    assert os.listdir(tmp_path) == ["beat.json"]


@given(st.lists(st.binary(max_size=30).map(lambda b: b.replace(b"\n", b""))), st.binary())
@settings(max_examples=60)
def test_a_torn_last_line_is_no_line(
    tmp_path_factory: pytest.TempPathFactory, lines: list[bytes], torn: bytes
) -> None:
    path = tmp_path_factory.mktemp("lines") / "segment.jsonl"
    torn = torn.replace(b"\n", b"")
    path.write_bytes(b"".join(line + b"\n" for line in lines) + torn)
    assert list(files.complete_lines(path)) == [line + b"\n" for line in lines]


def test_json_is_canonical_and_broken_json_is_named(tmp_path: Path) -> None:
    assert files.dump_json({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}\n'.encode()
    path = tmp_path / "plan.json"
    path.write_bytes(files.dump_json([1, {"a": None}]))
    assert files.load_json(path) == [1, {"a": None}]
    for broken in (b'{"a": 1', b"", b'{"a": "\xff"}'):
        path.write_bytes(broken)
        with pytest.raises(ValueError, match=r"plan\.json is not valid JSON"):
            files.load_json(path)


def _model(folder: Path) -> Path:
    (folder / "deep").mkdir(parents=True)
    (folder / "config.json").write_bytes(b"{}")
    (folder / "deep" / "weights.bin").write_bytes(bytes(3 << 20))
    return folder


def test_a_model_is_known_by_its_content_wherever_it_lies(tmp_path: Path) -> None:
    first = _model(tmp_path / "a")
    digest = files.digest_model(first)
    moved = tmp_path / "somewhere" / "else"
    shutil.copytree(first, moved)
    os.utime(moved / "config.json", (1, 1))
    assert files.digest_model(moved) == digest
    linked = tmp_path / "linked"
    linked.mkdir()
    (linked / "config.json").symlink_to(first / "config.json")
    (linked / "deep").mkdir()
    (linked / "deep" / "weights.bin").symlink_to(first / "deep" / "weights.bin")
    assert files.digest_model(linked) == digest


@pytest.mark.parametrize("change", ["first byte", "last byte", "length", "name", "new file"])
def test_another_model_has_another_identity(tmp_path: Path, change: str) -> None:
    folder = _model(tmp_path / "a")
    before = files.digest_model(folder)
    weights = folder / "deep" / "weights.bin"
    data = bytearray(weights.read_bytes())
    if change == "first byte":
        data[0] = 1
    elif change == "last byte":
        data[-1] = 1
    elif change == "length":
        data.append(0)
    weights.write_bytes(data)
    if change == "name":
        weights.rename(folder / "deep" / "other.bin")
    elif change == "new file":
        (folder / "extra").write_bytes(b"")
    assert files.digest_model(folder) != before


def test_a_single_file_is_known_by_its_content_alone(tmp_path: Path) -> None:
    one, other = tmp_path / "a.pt", tmp_path / "b.pt"
    one.write_bytes(b"weights")
    other.write_bytes(b"weights")
    assert files.digest_model(one) == files.digest_model(other)
    other.write_bytes(b"weighty")
    assert files.digest_model(one) != files.digest_model(other)


def test_point_makes_and_turns_a_relative_link(tmp_path: Path) -> None:
    first, second = tmp_path / "store" / "one", tmp_path / "store" / "two"
    for folder in (first, second):
        folder.mkdir(parents=True)
    link = tmp_path / "runs" / "current"
    files.point(link, first)
    assert link.resolve() == first
    assert not os.path.isabs(os.readlink(link))
    files.point(link, second)
    files.point(link, second)
    assert link.resolve() == second
    assert os.listdir(link.parent) == ["current"]
    shutil.move(tmp_path / "store", tmp_path / "gone")
    files.point(link, first)
    assert os.readlink(link) == "../store/one"
