"""A folder of photos with text files beside them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmi_hpc.data.records import Failure
from mmi_hpc.data.sources import Item, base
from mmi_hpc.data.sources.folder import FolderSource
from mmi_hpc.errors import ConfigError

ReadAll = Callable[[Any], list[Item | Failure]]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    for number in range(12):
        folder = root / f"day {number % 3}" / "deep"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"p{number:02}.jpg").write_bytes(bytes([number]) * number)
        (folder / f"p{number:02}.txt").write_text(f"Photo {number}.", encoding="utf-8")
    (root / "README.md").write_text("no photo")
    return root


def test_photos_come_sorted_with_their_texts(photos: Path, read_all: ReadAll) -> None:
    found = read_all(FolderSource(path=photos))
    names = [f"day {d}/deep/p{n:02}.jpg" for d in range(3) for n in range(12) if n % 3 == d]
    assert [item.id for item in found] == names
    assert isinstance(found[4], Item)
    assert found[4] == Item(names[4], names[4], bytes([1]), description="Photo 1.")


def test_texts_can_be_alternative_texts(photos: Path, read_all: ReadAll) -> None:
    item = read_all(FolderSource(path=photos, text="alt_text"))[0]
    assert isinstance(item, Item)
    assert (item.alt_text, item.description) == ("Photo 0.", "")


def test_a_photo_without_text_and_any_known_suffix(tmp_path: Path, read_all: ReadAll) -> None:
    for name in ("a.JPG", "b.jpeg", "c.Png", "d.webp", "e.tar", "f", ".hidden.gif", "g.b.jpg"):
        (tmp_path / name).write_bytes(b"x")
    (tmp_path / "g.b.txt").write_text("\ufeffDotted.\n", encoding="utf-8")
    (tmp_path / "folder.jpg").mkdir()
    found = {item.id: item for item in read_all(FolderSource(path=tmp_path))}
    assert sorted(found) == [".hidden.gif", "a.JPG", "b.jpeg", "c.Png", "d.webp", "g.b.jpg"]
    assert found["a.JPG"].description == ""  # type: ignore[union-attr]
    assert found["g.b.jpg"].description == "Dotted."  # type: ignore[union-attr]


def test_a_bad_text_or_photo_costs_that_photo_alone(photos: Path, read_all: ReadAll) -> None:
    deep = photos / "day 0" / "deep"
    (deep / "p00.txt").write_bytes(b"caf\xe9")
    (deep / "p03.jpg").unlink()
    (deep / "p03.jpg").symlink_to("nowhere")
    found = read_all(FolderSource(path=photos))
    failures = {item.id: item.reason for item in found if isinstance(item, Failure)}
    assert "not valid UTF-8" in failures.pop("day 0/deep/p00.jpg")
    assert "No such file" in failures.pop("day 0/deep/p03.jpg")
    assert failures == {}
    assert len(found) == 12


def test_names_that_are_no_utf_8_stay_apart(tmp_path: Path, read_all: ReadAll) -> None:
    root = os.fsencode(tmp_path)
    for number, name in enumerate([b"\xff.jpg", b"\xfe.jpg", "ü.jpg".encode()]):
        Path(os.fsdecode(root + b"/" + name)).write_bytes(bytes([number]))
    found = read_all(FolderSource(path=tmp_path))
    assert {item.id: item.data for item in found} == {  # type: ignore[union-attr]
        "\\xff.jpg": b"\0",
        "\\xfe.jpg": b"\1",
        "ü.jpg": b"\2",
    }


def test_the_inventory_knows_content_and_neither_place_nor_time(photos: Path) -> None:
    before = FolderSource(path=photos).inventory()
    moved = shutil.copytree(photos, photos.parent / "elsewhere" / "photos")
    for file in moved.rglob("*"):
        os.utime(file, (1, 1))
    assert FolderSource(path=moved).inventory() == before


@pytest.mark.parametrize(
    "change", ["name", "size", "pixels", "text", "new text", "lost text", "new photo"]
)
def test_the_inventory_notices_a_change(photos: Path, change: str) -> None:
    before = FolderSource(path=photos).inventory()
    photo = photos / "day 1" / "deep" / "p04.jpg"
    text = photo.with_suffix(".txt")
    if change == "name":
        photo.rename(photo.with_name("q04.jpg"))
    elif change == "size":
        photo.write_bytes(b"longer than before")
    elif change == "pixels":
        photo.write_bytes(bytes([5]) * 4)  # of equal length
    elif change == "text":
        text.write_text("Photo 7.")  # of equal length
    elif change == "new text":
        text.write_text("Another text.")
    elif change == "lost text":
        text.unlink()
    else:
        (photos / "new.png").write_bytes(b"")
    assert FolderSource(path=photos).inventory() != before


def test_a_folder_without_photos_or_without_a_folder_is_a_wrong_setting(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("x")
    for ask in (FolderSource.inventory, lambda source: list(source.slices(5))):
        with pytest.raises(ConfigError, match="holds no images"):
            ask(FolderSource(path=tmp_path / "empty"))
        with pytest.raises(ConfigError, match="does not exist"):
            ask(FolderSource(path=tmp_path / "gone"))
        with pytest.raises(ConfigError, match="must be a folder"):
            ask(FolderSource(path=tmp_path / "empty" / "notes.txt"))


def test_a_folder_that_cannot_be_looked_into_is_not_passed_over(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scandir = os.scandir

    def denies(path: Any) -> Any:
        if str(path).endswith("day 1"):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    monkeypatch.setattr(os, "scandir", denies)
    with pytest.raises(
        ConfigError, match=r"cannot look into the folder .*day 1: Permission denied"
    ):
        FolderSource(path=photos).inventory()


def test_a_large_collection_is_known_by_sizes_and_its_texts_by_content(
    photos: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_content = FolderSource(path=photos).inventory()
    size = sum(photo.stat().st_size for photo in photos.rglob("*.jpg"))
    monkeypatch.setattr(base, "CONTENT_LIMIT_BYTES", size)
    assert FolderSource(path=photos).inventory() == by_content
    monkeypatch.setattr(base, "CONTENT_LIMIT_BYTES", size - 1)
    by_size = FolderSource(path=photos).inventory()
    assert by_size != by_content
    photo = photos / "day 1" / "deep" / "p04.jpg"
    photo.write_bytes(bytes([5]) * 4)
    assert FolderSource(path=photos).inventory() == by_size
    photo.with_suffix(".txt").write_text("Photo 7.")
    assert FolderSource(path=photos).inventory() != by_size


def test_a_folder_that_has_gone_is_no_failure_of_its_photos(photos: Path) -> None:
    source = FolderSource(path=photos)
    (part,) = source.slices(100)
    photos.rename(photos.with_name("gone"))
    with pytest.raises(ConfigError, match="photos does not exist"):
        next(source.read(part))


def test_linked_folders_are_searched_and_circles_are_left(photos: Path, read_all: ReadAll) -> None:
    other = photos.parent / "other"
    (other / "deep").mkdir(parents=True)
    (other / "deep" / "o.jpg").write_bytes(b"o")
    (other / "back").symlink_to(photos)
    (photos / "link").symlink_to(other)
    (photos / "day 0" / "again").symlink_to(photos / "day 1")
    (photos / "day 0" / "self").symlink_to(photos)
    (photos / "itself.jpg").symlink_to("itself.jpg")
    found = read_all(FolderSource(path=photos))
    names = [one.id for one in found]
    assert names == sorted(names)
    assert [name for name in names if name.startswith("link")] == ["link/deep/o.jpg"]
    assert [name for name in names if "again" in name] == [
        f"day 0/again/deep/p{number:02}.jpg" for number in (1, 4, 7, 10)
    ]
    assert [one.id for one in found if isinstance(one, Failure)] == ["itself.jpg"]
    assert len(names) == 12 + 1 + 4 + 1
