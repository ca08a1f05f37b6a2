"""Lists of records, one JSON object a line."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmi_hpc.data.records import Box, Failure
from mmi_hpc.data.sources import Item
from mmi_hpc.data.sources.jsonl import Fields, JsonlSource
from mmi_hpc.errors import ConfigError

ReadAll = Callable[[Any], list[Item | Failure]]
SHARED = Path(__file__).resolve().parents[4] / "shared" / "data"
CAPTIONS = SHARED / "coco_caps_boxes" / "first50.jsonl"
QUESTIONS = SHARED / "mm_instruct_eval" / "questions.jsonl"


def write(folder: Path, lines: list[Any]) -> Path:
    """A list of records; bytes are written as they are."""
    path = folder / "list.jsonl"
    path.write_bytes(
        b"".join((x if isinstance(x, bytes) else json.dumps(x).encode()) + b"\n" for x in lines)
    )
    return path


def reasons(found: list[Item | Failure]) -> list[tuple[str, str]]:
    return [(one.id, one.reason) for one in found if isinstance(one, Failure)]


def only(found: list[Item | Failure]) -> Item:
    (item,) = found
    assert isinstance(item, Item), item
    return item


def test_a_record_brings_its_texts_its_boxes_and_its_pixels(
    tmp_path: Path, read_all: ReadAll
) -> None:
    (tmp_path / "images" / "deep").mkdir(parents=True)
    (tmp_path / "images" / "deep" / "a.jpg").write_bytes(b"pixels")
    box = {"category": "dog", "bbox": [0, 0.1, 0.5, 1]}
    other = {"label": "cat", "box": [0.25, 0.25, 0.5, 0.5]}
    line = {
        "id": "a",
        "image": "deep/a.jpg",
        "description": " A dog. ",
        "alt_text": "dog",
        "instances": [box, other],
        "unknown": {"is": "ignored"},
    }
    path = write(tmp_path, [line])
    boxes = (Box("dog", 0, 0.1, 0.5, 1), Box("cat", 0.25, 0.25, 0.5, 0.5))
    found = only(read_all(JsonlSource(path=path, images=tmp_path / "images")))
    assert found == Item("a", "deep/a.jpg", b"pixels", "dog", "A dog.", boxes)
    assert only(read_all(JsonlSource(path=path))).data is None


def test_fields_may_have_other_names_and_captions_become_one_text(
    tmp_path: Path, read_all: ReadAll
) -> None:
    path = write(tmp_path, [{"key": 7, "captions": ["A dog", "It runs."], "url": "x.jpg"}])
    names = Fields(id="key", description="captions", image="url")
    found = only(read_all(JsonlSource(path=path, fields=names)))
    assert (found.id, found.name, found.description) == ("7", "x.jpg", "A dog. It runs.")


def test_an_id_is_taken_from_the_image_or_the_line(tmp_path: Path, read_all: ReadAll) -> None:
    lines = [{"image": "b.jpg"}, {"description": "x"}, {"id": None, "image": "c.jpg"}]
    lines += [{"id": "", "image": "d.jpg"}, {"id": ["x"]}, {"id": "\u0000", "image": ""}]
    found = read_all(JsonlSource(path=write(tmp_path, lines)))
    assert [item.id for item in found] == ["b.jpg", "line-2", "c.jpg", "d.jpg", "line-5", "line-6"]


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "b", "descr',
        b"[1, 2]",
        b'"text"',
        b"null",
        b'{"id": "b", "description": "\xff"}',
        b'{"id": "b", "description": "\\ud800"}',
        b'{"id": "b", "x": ' + b"[" * 5000 + b"]" * 5000 + b"}",
        b"{'id': 'b'}",
    ],
    ids=lambda line: line[:20].decode("latin-1"),
)
def test_a_broken_line_costs_itself_alone(line: bytes, tmp_path: Path, read_all: ReadAll) -> None:
    path = write(tmp_path, [{"id": "a"}, b"", line, {"id": "line-3"}, b"  ", {"id": "c"}])
    found = read_all(JsonlSource(path=path))
    assert [one.id for one in found] == ["a", "line-3", "line-3", "c"]
    assert reasons(found) == [("line-3", "line 3 of list.jsonl is no JSON object")]


def test_a_repeated_id_is_refused_however_far_away(tmp_path: Path, read_all: ReadAll) -> None:
    lines: list[Any] = [{"id": f"id-{n}", "description": str(n)} for n in range(23)]
    lines += [{"id": "id-1", "description": "again"}, {"id": " id-2\u200b"}, {"id": "id-23"}]
    found = read_all(JsonlSource(path=write(tmp_path, lines)))
    assert len(found) == 26
    assert reasons(found) == [
        ("id-1", "line 24 repeats the id 'id-1'"),
        ("id-2", "line 25 repeats the id 'id-2'"),
    ]


def test_images_that_are_missing_or_lead_out_are_refused(tmp_path: Path, read_all: ReadAll) -> None:
    images = tmp_path / "images"
    images.mkdir()
    (tmp_path / "secret.jpg").write_bytes(b"secret")
    (images / "ok.jpg").write_bytes(b"ok")
    hostile = [
        "../secret.jpg",
        "a/../../secret.jpg",
        str(tmp_path / "secret.jpg"),
        "",
        None,
        "x\0y",
    ]
    lines: list[Any] = [{"id": f"id-{n}", "image": name} for n, name in enumerate(hostile)]
    lines += [{"id": "gone", "image": "gone.jpg"}, {"id": "list", "image": ["ok.jpg"]}]
    lines += [{"id": "fine", "image": "ok.jpg"}]
    found = read_all(JsonlSource(path=write(tmp_path, lines), images=images))
    assert [one.id for one in found if isinstance(one, Item)] == ["fine"]
    failed = dict(reasons(found))
    assert all("leads out" in failed[f"id-{n}"] for n in range(len(hostile)))
    assert "No such file" in failed["gone"]
    assert failed["list"] == "its image is no name"


def test_a_name_that_leads_out_is_refused_even_without_pixels(
    tmp_path: Path, read_all: ReadAll
) -> None:
    lines = [{"id": "a", "image": "../../etc/passwd"}, {"id": "b", "image": "b.jpg"}, {"id": "c"}]
    found = read_all(JsonlSource(path=write(tmp_path, lines)))
    assert [one.id for one in found if isinstance(one, Item)] == ["b", "c"]


@pytest.mark.parametrize(
    "boxes",
    [
        "dog",
        {"category": "dog"},
        [1],
        [{"category": "dog"}],
        [{"bbox": [0, 0, 1, 1]}],
        [{"category": 5, "bbox": [0, 0, 1, 1]}],
        [{"category": "dog", "bbox": [0, 0, 1]}],
        [{"category": "dog", "bbox": [0, 0, 1, 1, 1]}],
        [{"category": "dog", "bbox": [0, 0, 640, 480]}],
        [{"category": "dog", "bbox": [-0.1, 0, 1, 1]}],
        [{"category": "dog", "bbox": [0.5, 0, 0.4, 1]}],
        [{"category": "dog", "bbox": [0, 0.5, 1, 0.4]}],
        [{"category": "dog", "bbox": [0, 0, "wide", 1]}],
        [{"category": "dog", "bbox": None}],
    ],
    ids=str,
)
def test_boxes_that_are_none_are_refused(boxes: Any, tmp_path: Path, read_all: ReadAll) -> None:
    path = write(tmp_path, [{"id": "a", "instances": boxes}, {"id": "b", "instances": None}])
    found = read_all(JsonlSource(path=path))
    assert reasons(found) == [("a", "its instances are no boxes in 0..1")]


@pytest.mark.parametrize("text", [5, True, {"en": "A dog"}, ["A dog", None], [["A"]]], ids=str)
def test_a_description_that_is_no_text_is_refused(
    text: Any, tmp_path: Path, read_all: ReadAll
) -> None:
    lines = [{"id": "a", "description": text}, {"id": "b", "description": None}]
    found = read_all(JsonlSource(path=write(tmp_path, lines)))
    assert reasons(found) == [("a", "its description is neither a text nor a list of texts")]


def test_line_ends_of_windows_and_a_missing_last_one_do_no_harm(
    tmp_path: Path, read_all: ReadAll
) -> None:
    path = tmp_path / "list.jsonl"
    path.write_bytes('{"id": "a\u2028b"}\r\n{"id": "c"}'.encode())
    assert [one.id for one in read_all(JsonlSource(path=path))] == ["a\nb", "c"]


def test_a_list_that_is_empty_or_missing_is_a_wrong_setting(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="holds no records"):
        list(JsonlSource(path=write(tmp_path, [b"", b"  "])).slices(5))
    for ask in (JsonlSource.inventory, lambda source: list(source.slices(5))):
        with pytest.raises(ConfigError, match=r"gone\.jsonl does not exist"):
            ask(JsonlSource(path=tmp_path / "gone.jsonl"))
    with pytest.raises(ConfigError, match=r"the image folder .* does not exist"):
        JsonlSource(path=tmp_path / "list.jsonl", images=tmp_path / "gone").inventory()


def test_a_list_or_a_folder_that_has_gone_is_no_failure_of_its_records(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"pixels")
    path = write(tmp_path, [{"id": "a", "image": "a.jpg"}])
    source = JsonlSource(path=path, images=tmp_path / "images")
    (part,) = source.slices(5)
    shutil.rmtree(tmp_path / "images")
    with pytest.raises(ConfigError, match=r"the image folder .*images does not exist"):
        next(source.read(part))
    path.unlink()
    with pytest.raises(ConfigError, match=r"list\.jsonl does not exist"):
        next(source.read(part))


def test_the_inventory_knows_texts_and_images_and_neither_place_nor_time(tmp_path: Path) -> None:
    def inventory(folder: Path) -> str:
        return JsonlSource(path=folder / "list.jsonl", images=folder / "images").inventory()

    here = tmp_path / "here"
    (here / "images").mkdir(parents=True)
    (here / "images" / "a.jpg").write_bytes(b"pixels")
    write(here, [{"id": "a", "image": "a.jpg"}, b"broken", {"id": "b", "image": "../x"}])
    before = inventory(here)
    there = shutil.copytree(here, tmp_path / "there")
    for file in there.rglob("*"):
        os.utime(file, (1, 1))
    assert inventory(there) == before
    (there / "images" / "a.jpg").write_bytes(b"pixelz")
    assert inventory(there) != before
    (there / "images" / "a.jpg").unlink()
    assert inventory(there) != before
    write(here, [{"id": "A", "image": "a.jpg"}, b"broken", {"id": "b", "image": "../x"}])
    assert inventory(here) != before


@pytest.mark.skipif(not CAPTIONS.exists(), reason=f"the COCO records are not at {CAPTIONS}")
def test_the_first_fifty_coco_records_are_read_with_their_boxes(read_all: ReadAll) -> None:
    found = read_all(JsonlSource(path=CAPTIONS, fields=Fields(description="captions")))
    items = [item for item in found if isinstance(item, Item)]
    assert len(items) == len(found) == 50
    assert all(len(item.description.split()) > 20 for item in items)
    given = [json.loads(line)["instances"] for line in CAPTIONS.read_bytes().splitlines()]
    assert [len(item.boxes) for item in items] == [len(boxes) for boxes in given]
    assert sum(map(len, given)) == 250
    assert items[0].boxes[0] == Box("donut", 0.37, 0.584, 0.504, 0.709)
    assert items[0].description.startswith("A donut shop is full of different flavors of donuts. F")


@pytest.mark.skipif(not QUESTIONS.exists(), reason=f"the questions are not at {QUESTIONS}")
def test_the_published_questions_are_read_by_their_captions(read_all: ReadAll) -> None:
    names = Fields(id="question_id", description="caption")
    found = read_all(JsonlSource(path=QUESTIONS, fields=names))
    assert [one.id for one in found] == [str(number) for number in range(99)]
    assert all(isinstance(one, Item) and one.description for one in found)


def test_an_image_name_beyond_all_limits_does_not_stop_the_inventory(tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    path = write(tmp_path, [{"id": "a", "image": "x" * 5000}])
    assert JsonlSource(path=path, images=tmp_path / "images").inventory()
