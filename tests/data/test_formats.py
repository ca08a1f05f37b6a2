"""Every format: what is written comes back, and equal rows have equal bytes and one identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmi_hpc.data.exports.llava import ExportRow, LlavaFormat
from mmi_hpc.data.formats import ContentSum, Format, JsonLines
from mmi_hpc.data.image_shard import ImageEntry, ImageShardFormat, read_records
from mmi_hpc.data.records import Failure, ImageRecord, Instruction
from mmi_hpc.data.vectors import (
    BankEntry,
    BankFormat,
    CandidateFormat,
    Candidates,
    Vector,
    VectorFormat,
)

IDS = ["a", "größe/ü 🙂", "", "日本", "../x", "b\nc", "0"]


def vector(number: int, size: int = 3) -> np.ndarray:
    return np.random.default_rng(number).standard_normal(size).astype(np.float32)


def instruction(row_id: str) -> Instruction:
    return Instruction(row_id, f"Describe {row_id}.", "cluster-0", 3, "rules")


CASES: dict[str, tuple[Format[Any], list[Any]]] = {
    "lines": (JsonLines(Failure), [Failure(i, f"because {i}") for i in IDS]),
    "images": (
        ImageShardFormat(),
        [ImageEntry(ImageRecord(i, width=n), bytes(range(n)) * n) for n, i in enumerate(IDS)],
    ),
    "vectors": (VectorFormat(), [Vector(i, vector(n)) for n, i in enumerate(IDS)]),
    "bank": (BankFormat(), [BankEntry(instruction(i), vector(n)) for n, i in enumerate(IDS)]),
    "candidates": (
        CandidateFormat(),
        [Candidates(i, vector(n), np.arange(n, n + 3, dtype=np.int64)) for n, i in enumerate(IDS)],
    ),
    "llava": (
        LlavaFormat(),
        [ExportRow(i, "p.jpg", "Look", f"It is {i}", {"cosine": 0.5}) for i in IDS],
    ),
}
each = pytest.mark.parametrize("case", sorted(CASES))


def place(format_: Format[Any], folder: Path, name: str) -> Path:
    path = folder / f"{name}{format_.suffix}"
    if not format_.suffix:
        path.mkdir()
    return path


def contents(path: Path) -> dict[str, bytes]:
    files = [path] if path.is_file() else [p for p in path.rglob("*") if p.is_file()]
    return {p.name if path.is_dir() else "": p.read_bytes() for p in files}


def plain(format_: Format[Any], rows: list[Any]) -> list[bytes]:
    return [format_.content(row) for row in rows]


@each
@pytest.mark.parametrize("count", [0, 1, len(IDS)])
def test_rows_come_back_in_their_order(case: str, count: int, tmp_path: Path) -> None:
    format_, rows = CASES[case][0], CASES[case][1][:count]
    path = place(format_, tmp_path, "part")
    total = format_.write(path, iter(rows))
    assert total.count == count
    assert plain(format_, list(format_.read(path))) == plain(format_, rows)
    assert format_.measure(path) == total


@each
def test_equal_rows_give_equal_files(case: str, tmp_path: Path) -> None:
    format_, rows = CASES[case]
    one, other = place(format_, tmp_path, "one"), place(format_, tmp_path, "other")
    format_.write(one, rows)
    format_.write(other, iter(rows))
    assert contents(one) == contents(other)


@each
def test_the_identity_does_not_depend_on_order_or_cut(case: str, tmp_path: Path) -> None:
    format_, rows = CASES[case]
    whole = format_.write(place(format_, tmp_path, "whole"), rows)
    parts = ContentSum()
    for number, part in enumerate((rows[4:], rows[:0], rows[:1], rows[1:4])):
        parts += format_.write(place(format_, tmp_path, f"part{number}"), part)
    assert parts == whole
    assert ContentSum.parse(whole.count, whole.digest) == whole


@each
def test_another_row_or_a_lost_row_changes_the_identity(case: str, tmp_path: Path) -> None:
    format_, rows = CASES[case]
    found = {
        format_.write(place(format_, tmp_path, f"part{number}"), part).digest
        for number, part in enumerate((rows, rows[1:], [*rows[1:], rows[1]], [*rows, rows[0]]))
    }
    assert len(found) == 4


@given(st.lists(st.binary(max_size=8)), st.randoms(use_true_random=False))
def test_sums_form_a_group(contents: list[bytes], random: Any) -> None:
    def total(rows: list[bytes]) -> ContentSum:
        result = ContentSum()
        for row in rows:
            result = result.add(row)
        return result

    shuffled = list(contents)
    random.shuffle(shuffled)
    middle = len(contents) // 2
    assert total(shuffled) == total(contents)
    assert total(contents[:middle]) + total(contents[middle:]) == total(contents)
    assert len(total(contents).digest) == 32


@given(data=st.data())
@settings(max_examples=25, deadline=None)
def test_bytes_of_images_come_back_untouched(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    blobs = data.draw(st.lists(st.binary(max_size=2000), max_size=6))
    path = tmp_path_factory.mktemp("shard") / "part.h5"
    rows = [ImageEntry(ImageRecord(str(n)), blob) for n, blob in enumerate(blobs)]
    ImageShardFormat().write(path, rows)
    assert list(ImageShardFormat().read(path)) == rows
    assert read_records(path) == [row.record for row in rows]


def test_images_larger_than_the_buffer_come_back(tmp_path: Path) -> None:
    rows = [ImageEntry(ImageRecord(str(n)), bytes([n]) * (5 << 20)) for n in range(3)]
    ImageShardFormat().write(tmp_path / "part.h5", rows)
    assert list(ImageShardFormat().read(tmp_path / "part.h5")) == rows


def test_vectors_keep_every_bit(tmp_path: Path) -> None:
    special = np.array([-0.0, 1e-45, 3.4e38], np.float32)
    path = tmp_path / "part.h5"
    VectorFormat().write(path, [Vector("a", special)])
    ids, matrix = VectorFormat().matrix(path)
    assert ids == ["a"]
    assert matrix.dtype == np.float32
    assert matrix.tobytes() == special.tobytes()


def test_a_torn_file_of_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    JsonLines(Failure).write(path, [Failure("a", "x"), Failure("b", "y")])
    whole = path.read_bytes()
    for torn in (whole[:-1], whole[:-5], whole[:10]):
        path.write_bytes(torn)
        with pytest.raises(ValueError, match=r"part\.jsonl:[12] "):
            list(JsonLines(Failure).read(path))


def test_a_wrong_line_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "part.jsonl"
    path.write_bytes(b'{"id":"a","reason":"x"}\n{"id":"b"}\n')
    with pytest.raises(ValueError, match=r"part\.jsonl:2 holds no Failure: reason"):
        list(JsonLines(Failure).read(path))


def test_a_wrong_record_in_a_shard_is_named_by_its_number(tmp_path: Path) -> None:
    path = tmp_path / "part.h5"
    BankFormat().write(path, [BankEntry(instruction("a"), vector(0))])
    with pytest.raises(ValueError, match=r"part\.h5 "):
        list(ImageShardFormat().read(path))
