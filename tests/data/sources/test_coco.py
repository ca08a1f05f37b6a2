"""COCO's annotation files beside a folder of images."""

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
from mmi_hpc.data.sources.coco import CocoSource
from mmi_hpc.errors import ConfigError

ReadAll = Callable[[Any], list[Item | Failure]]
INFO = {"info": {"year": 2017}, "licenses": [{"id": 1, "name": "CC"}]}
NUMBERS = [139, 9, 42, 724, 25, 1000, 7]


def image(number: int) -> dict[str, Any]:
    name = f"{number:012}.jpg"
    return {"id": number, "file_name": name, "width": 640, "height": 480, "license": 1}


def captions() -> dict[str, Any]:
    texts = [
        {"image_id": n, "id": 10 * n + 5 - i, "caption": f"Caption {i} of {n}" + "\n" * i}
        for n in reversed(NUMBERS)
        for i in (0, 1)
    ]
    return {**INFO, "images": [image(n) for n in NUMBERS], "annotations": texts}


def instances() -> dict[str, Any]:
    def instance(number: int, box: list[float], category: int) -> dict[str, Any]:
        more = {"area": 1.0, "iscrowd": 0, "segmentation": [[1, 2, 3, 4]], "id": number}
        return {"image_id": number, "bbox": box, "category_id": category, **more}

    boxes = [
        instance(9, [64, 48, 320, 240], 18),
        instance(9, [600, 400, 100, 100], 99),
        instance(42, [0, 0, 640, 480], 1),
        instance(31337, [0, 0, 1, 1], 1),
    ]
    kinds = [{"id": 18, "name": "dog", "supercategory": "animal"}, {"id": 1, "name": "person"}]
    pictures = [image(n) for n in NUMBERS]
    return {**INFO, "images": pictures, "annotations": boxes, "categories": kinds}


@pytest.fixture
def coco(tmp_path: Path) -> Path:
    root = tmp_path / "coco"
    (root / "images").mkdir(parents=True)
    (root / "captions.json").write_text(json.dumps(captions()))
    (root / "instances.json").write_text(json.dumps(instances()))
    for number in NUMBERS:
        (root / "images" / f"{number:012}.jpg").write_bytes(bytes([number % 256]) * 5)
    return root


def source(root: Path) -> CocoSource:
    return CocoSource(
        captions=root / "captions.json",
        instances=root / "instances.json",
        images=root / "images",
    )


def test_captions_boxes_and_pixels_come_together(coco: Path, read_all: ReadAll) -> None:
    found = read_all(source(coco))
    assert [one.id for one in found] == [str(n) for n in sorted(NUMBERS)]
    boxes = (Box("dog", 0.1, 0.1, 0.6, 0.6), Box("object", 0.938, 0.833, 1.0, 1.0))
    text = "Caption 1 of 9. Caption 0 of 9."
    assert found[1] == Item("9", "000000000009.jpg", bytes([9]) * 5, "", text, boxes)
    assert found[3].boxes == (Box("person", 0, 0, 1, 1),)  # type: ignore[union-attr]


def test_either_file_is_enough_and_pixels_may_be_absent(coco: Path, read_all: ReadAll) -> None:
    texts = read_all(CocoSource(captions=coco / "captions.json"))
    boxes = read_all(CocoSource(instances=coco / "instances.json"))
    assert all(isinstance(one, Item) and one.data is None for one in texts + boxes)
    assert texts[1].boxes == ()  # type: ignore[union-attr]
    assert boxes[1].description == ""  # type: ignore[union-attr]
    assert len(boxes[1].boxes) == 2  # type: ignore[union-attr]


def test_a_missing_image_and_a_hostile_name_cost_themselves_alone(
    coco: Path, read_all: ReadAll
) -> None:
    (coco / "images" / f"{7:012}.jpg").unlink()
    content = captions()
    content["images"][1]["file_name"] = "../captions.json"
    (coco / "captions.json").write_text(json.dumps(content))
    (coco / "instances.json").write_text(json.dumps({"images": []}))
    found = read_all(source(coco))
    failed = {one.id: one.reason for one in found if isinstance(one, Failure)}
    assert "No such file" in failed.pop("7")
    assert "leads out of the image folder" in failed.pop("9")
    assert failed == {}
    assert len(found) == len(NUMBERS)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("{", "is not valid JSON"),
        (b'{"images": "\xff"}', "is not valid JSON"),
        ("[]", "is no COCO file"),
        ('{"annotations": []}', "is no COCO file"),
        ('{"images": []}', "list no images"),
        ('{"images": [{"file_name": "a.jpg"}]}', "malformed"),
        ('{"images": [{"id": "first"}]}', "malformed"),
        ('{"images": {"a": 1}}', "malformed"),
        ('{"images": [{"id": 1}], "annotations": [{"caption": "x", "id": 1}]}', "malformed"),
        ('{"images": [{"id": 1}], "annotations": null}', "malformed"),
        (
            '{"images": [{"id": 1, "width": 9, "height": 9}],'
            ' "annotations": [{"image_id": 1, "bbox": [1, 2, 3]}]}',
            "malformed",
        ),
    ],
)
def test_a_file_that_is_no_coco_is_a_wrong_setting(
    tmp_path: Path, content: str | bytes, reason: str
) -> None:
    path = tmp_path / "captions.json"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError, match=reason):
        list(CocoSource(captions=path).slices(5))


def test_missing_files_are_wrong_settings(coco: Path) -> None:
    with pytest.raises(ConfigError, match="needs `captions` or `instances`"):
        list(CocoSource().slices(5))
    for ask in (CocoSource.inventory, lambda coco: list(coco.slices(5))):
        with pytest.raises(ConfigError, match=r"gone\.json does not exist"):
            ask(CocoSource(captions=coco / "gone.json"))
    with pytest.raises(ConfigError, match="gone does not exist"):
        CocoSource(captions=coco / "captions.json", images=coco / "gone").inventory()


def test_the_inventory_knows_content_and_neither_place_nor_time(coco: Path) -> None:
    before = source(coco).inventory()
    moved = shutil.copytree(coco, coco.parent / "moved")
    for file in moved.rglob("*"):
        os.utime(file, (1, 1))
    assert source(moved).inventory() == before
    (moved / "images" / f"{9:012}.jpg").write_bytes(b"9" * 5)  # of equal length
    assert source(moved).inventory() != before
    (coco / "captions.json").write_text(json.dumps(captions()).replace("Caption 1", "Caption 8"))
    assert source(coco).inventory() != before


@pytest.mark.parametrize("lost", ["images", "captions.json", "instances.json"])
def test_a_place_that_has_gone_is_no_failure_of_its_images(coco: Path, lost: str) -> None:
    (part,) = source(coco).slices(100)
    reader = source(coco)
    (coco / lost).rename(coco / "gone")
    with pytest.raises(ConfigError, match=f"{lost} does not exist"):
        next(reader.read(part))


def test_captions_and_instances_are_not_taken_for_each_other(coco: Path) -> None:
    path = coco / "captions.json"
    assert CocoSource(captions=path).inventory() != CocoSource(instances=path).inventory()
