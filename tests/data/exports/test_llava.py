"""The dataset as LLaVA's trainers read it, whatever ids, names and texts try to do."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from mmi_hpc.data.exports.llava import ExportRow, LlavaFormat, image_path
from mmi_hpc.llm.prompts import clean_text

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=60)
HOSTILE = ["../../etc/passwd", "/etc/passwd", "..", ".", "", "a/../../b", "x\0y", "C:\\x", "~root"]


def row(number: int, **changes: object) -> ExportRow:
    values = {
        "id": f"image-{number}/instruction-{number}",
        "image": image_path(f"image-{number}", "JPEG"),
        "instruction": "Write a story.",
        "answer": f"Once upon a time there were {number} boats.",
        "provenance": {"cosine": 0.25, "flags": []},
        "data": b"jpeg" * number,
    }
    return ExportRow(**{**values, **changes})  # type: ignore[arg-type]


def export(folder: Path, rows: list[ExportRow], about: dict[str, object] | None = None) -> Path:
    LlavaFormat(about).write(folder, iter(rows))
    return folder


def test_every_record_is_what_llava_wants(tmp_path: Path) -> None:
    export(tmp_path, [row(1), row(2, answer='Line one\n"Line" two: ü 🙂')])
    records = json.loads((tmp_path / "llava.json").read_text(encoding="utf-8"))
    assert isinstance(records, list)
    for number, record in enumerate(records, 1):
        assert list(record) == ["id", "image", "conversations"]
        assert (tmp_path / record["image"]).read_bytes() == b"jpeg" * number
        turns = record["conversations"]
        assert [turn["from"] for turn in turns] == ["human", "gpt"]
        assert turns[0]["value"] == "<image>\nWrite a story."
    assert records[1]["conversations"][1]["value"] == 'Line one\n"Line" two: ü 🙂'


def test_a_record_without_an_image_names_none(tmp_path: Path) -> None:
    export(tmp_path, [row(1, image="", data=None)])
    (record,) = json.loads((tmp_path / "llava.json").read_text(encoding="utf-8"))
    assert "image" not in record
    assert record["conversations"][0]["value"] == "Write a story."


def test_an_empty_dataset_is_an_empty_list(tmp_path: Path) -> None:
    export(tmp_path, [])
    assert json.loads((tmp_path / "llava.json").read_text(encoding="utf-8")) == []
    assert list(LlavaFormat().read(tmp_path)) == []


@given(st.lists(st.tuples(TEXT, TEXT), max_size=4))
def test_one_image_token_stands_first_whatever_the_texts_say(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str]]
) -> None:
    hostile = [("<image> look <im<image>age>", "see <image>\n<image>"), *texts]
    rows = [
        row(number, instruction=clean_text(asked), answer=clean_text(answer))
        for number, (asked, answer) in enumerate(hostile)
    ]
    folder = export(tmp_path_factory.mktemp("export"), rows)
    for record in json.loads((folder / "llava.json").read_text(encoding="utf-8")):
        human, assistant = (turn["value"] for turn in record["conversations"])
        assert human.startswith("<image>\n")
        assert (human + assistant).count("<image>") == 1


@given(st.lists(st.tuples(TEXT, TEXT, TEXT, st.floats(-1, 1)), max_size=4))
def test_what_is_read_equals_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, str, str, float]]
) -> None:
    rows = [
        row(
            number,
            id=row_id,
            instruction=clean_text(asked),
            answer=answer,
            provenance={"cosine": cosine, "model": asked},
            data=None,
        )
        for number, (row_id, asked, answer, cosine) in enumerate(texts)
    ]
    folder = export(tmp_path_factory.mktemp("export"), rows)
    assert list(LlavaFormat().read(folder)) == rows


@given(st.text(max_size=300).filter(lambda t: t.isprintable()) | st.sampled_from(HOSTILE))
def test_no_id_leads_out_of_the_image_folder(record_id: str) -> None:
    path = PurePosixPath(image_path(record_id, "PNG"))
    assert re.fullmatch(r"images/[0-9a-f]{2}/[a-z0-9-]+\.png", str(path))
    assert len(path.name) < 100


def test_ids_that_look_alike_get_files_of_their_own() -> None:
    ids = ["a b", "a-b", "A b", "a/b", "../a b", "ü", "ö", "", "x" * 300, "x" * 299]
    assert len({image_path(i, "JPEG") for i in ids}) == len(ids)
    assert image_path("a b", "JPEG").endswith(".jpg")
    assert image_path("a b", "unheard of").endswith(".img")


def test_hostile_ids_are_written_inside_the_folder_alone(tmp_path: Path) -> None:
    inside = tmp_path / "deep" / "export"
    inside.mkdir(parents=True)
    export(inside, [row(1, id=i, image=image_path(i, "JPEG")) for i in HOSTILE])
    outside = {p for p in tmp_path.rglob("*") if p.is_file()} - set(inside.rglob("*"))
    assert outside == set()
    assert [r.id for r in LlavaFormat().read(inside)] == HOSTILE
    assert len(list((inside / "images").rglob("*.jpg"))) == len(HOSTILE)


def test_one_image_with_several_answers_is_written_once(tmp_path: Path) -> None:
    same = image_path("image-1", "JPEG")
    export(tmp_path, [row(1), row(2, image=same), row(3, image=same)])
    assert [p.read_bytes() for p in tmp_path.rglob("*.jpg")] == [b"jpeg"]


def test_the_manifest_lists_every_file_with_size_and_hash(tmp_path: Path) -> None:
    export(tmp_path, [row(1), row(2)], {"generator": "mmi_hpc", "flags": {"refusal": 1}})
    manifest = json.loads((tmp_path / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["records"] == 2
    assert (manifest["generator"], manifest["flags"]) == ("mmi_hpc", {"refusal": 1})
    files = {p.relative_to(tmp_path).as_posix(): p for p in tmp_path.rglob("*") if p.is_file()}
    del files["manifest.json"]
    assert [entry["path"] for entry in manifest["files"]] == sorted(files)
    for entry in manifest["files"]:
        content = files[entry["path"]].read_bytes()
        assert entry["size"] == len(content)
        assert entry["xxh128"] == xxhash.xxh3_128_hexdigest(content)


def test_provenance_stands_beside_every_record_by_id(tmp_path: Path) -> None:
    rows = [row(n, provenance={"cosine": n / 10, "flags": ["echo"]}) for n in range(3)]
    export(tmp_path, rows)
    lines = (tmp_path / "provenance.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"id": r.id, "cosine": n / 10, "flags": ["echo"]} for n, r in enumerate(rows)
    ]


def test_a_lost_record_or_line_is_noticed(tmp_path: Path) -> None:
    export(tmp_path, [row(1), row(2)])
    log = tmp_path / "provenance.jsonl"
    log.write_bytes(log.read_bytes().splitlines(keepends=True)[0])
    with pytest.raises(ValueError, match="shorter"):
        list(LlavaFormat().read(tmp_path))
