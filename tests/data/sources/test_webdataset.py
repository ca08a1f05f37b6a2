"""Tars as img2dataset writes them, and tars that nobody should have written."""

from __future__ import annotations

import io
import json
import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mmi_hpc.data.records import Failure
from mmi_hpc.data.sources import Item, webdataset
from mmi_hpc.data.sources.webdataset import WebdatasetSource
from mmi_hpc.errors import ConfigError

ReadAll = Callable[[Any], list[Item | Failure]]
Members = list[tuple[str, bytes]]


def write(path: Path, members: Members, **options: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w", **options) as tar:
        for name, data in members:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def triple(key: str, caption: str = "A dog.") -> Members:
    meta = json.dumps({"caption": "from json", "url": "x", "width": 9}).encode()
    return [
        (f"{key}.jpg", f"pixels {key}".encode()),
        (f"{key}.txt", caption.encode()),
        (f"{key}.json", meta),
    ]


def failures(found: list[Item | Failure]) -> dict[str, str]:
    return {one.id: one.reason for one in found if isinstance(one, Failure)}


def names(found: list[Item | Failure]) -> list[str]:
    return [one.name for one in found if isinstance(one, Item)]


def test_tars_are_read_in_order_with_their_path_in_the_id(
    tmp_path: Path, read_all: ReadAll
) -> None:
    for shard in (1, 0):
        members = [m for n in range(7) for m in triple(f"{shard:05}{n:04}", f"Photo {n}")]
        write(tmp_path / "deep" / f"{shard:05}.tar", members)
    found = read_all(WebdatasetSource(path=tmp_path))
    assert [one.id for one in found] == [
        f"deep/{shard:05}/{shard:05}{n:04}" for shard in (0, 1) for n in range(7)
    ]
    assert found[2] == Item(
        "deep/00000/000000002", "000000002.jpg", b"pixels 000000002", alt_text="Photo 2"
    )


def test_one_tar_can_be_the_source(tmp_path: Path, read_all: ReadAll) -> None:
    path = write(tmp_path / "a.tar", triple("x"))
    write(tmp_path / "b.tar", triple("y"))
    (item,) = read_all(WebdatasetSource(path=path, text="description"))
    assert isinstance(item, Item)
    assert (item.id, item.description, item.alt_text) == ("a/x", "A dog.", "")


@pytest.mark.parametrize(
    ("meta", "text"),
    [
        (b'{"caption": "A cat."}', "A cat."),
        (b'{"caption": null}', ""),
        (b'{"url": "x"}', ""),
        (b"[]", ""),
    ],
)
def test_a_caption_may_stand_in_the_json(
    meta: bytes, text: str, tmp_path: Path, read_all: ReadAll
) -> None:
    write(tmp_path / "a.tar", [("x.json", meta), ("x.PNG", b"p"), ("x.npy", b"n")])
    (item,) = read_all(WebdatasetSource(path=tmp_path))
    assert item == Item("a/x", "x.png", b"p", alt_text=text)


@pytest.mark.parametrize(
    "text",
    [
        ("x.txt", b"caf\xe9"),
        ("x.json", b'{"caption": '),
        ("x.json", b'{"caption": "\\ud800"}'),
        ("x.json", b'{"caption": ["a", "b"]}'),
    ],
    ids=str,
)
def test_a_bad_text_costs_its_key_alone(
    text: tuple[str, bytes], tmp_path: Path, read_all: ReadAll
) -> None:
    write(tmp_path / "a.tar", [("x.jpg", b"p"), text, *triple("y")])
    found = read_all(WebdatasetSource(path=tmp_path))
    assert "its text is not valid" in failures(found)["a/x"]
    assert names(found) == ["y.jpg"]


def test_names_that_lead_out_are_refused_and_nothing_is_extracted(
    tmp_path: Path, read_all: ReadAll
) -> None:
    members = [m for key in ("../up", "/etc/cron", "a/../../b") for m in triple(key)]
    write(tmp_path / "deep" / "a.tar", [*members, *triple("in/side")])
    found = read_all(WebdatasetSource(path=tmp_path / "deep"))
    assert names(found) == ["in/side.jpg"]
    assert sorted(failures(found)) == ["a/../up", "a//etc/cron", "a/a/../../b"]
    assert all("leads out of the archive" in reason for reason in failures(found).values())
    assert [p.name for p in tmp_path.rglob("*")] == ["deep", "a.tar"]


def test_links_and_devices_are_never_followed(tmp_path: Path, read_all: ReadAll) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE):
            info = tarfile.TarInfo(f"k{int(kind)}.jpg")
            info.type, info.linkname = kind, str(tmp_path / "secret")
            tar.addfile(info)
        info = tarfile.TarInfo("k9.jpg")
        info.size = 1
        tar.addfile(info, io.BytesIO(b"p"))
    assert read_all(WebdatasetSource(path=tmp_path)) == [Item("a/k9", "k9.jpg", b"p")]


def test_a_key_that_comes_again_is_refused(tmp_path: Path, read_all: ReadAll) -> None:
    mixed = [("a.jpg", b"1"), ("b.jpg", b"2"), ("a.txt", b"late"), ("b.txt", b"late")]
    write(tmp_path / "t.tar", mixed)
    write(tmp_path / "u.tar", [*triple("c"), *triple("d"), *triple("c", "again")])
    found = read_all(WebdatasetSource(path=tmp_path))
    assert names(found) == ["a.jpg", "b.jpg", "c.jpg", "d.jpg"]
    assert failures(found) == {
        "t/a": "the key 'a' appears twice in t.tar",
        "t/b": "the key 'b' appears twice in t.tar",
        "u/c": "the key 'c' appears twice in u.tar",
    }


def test_a_key_without_an_image_is_named(tmp_path: Path, read_all: ReadAll) -> None:
    write(tmp_path / "a.tar", [("x.txt", b"alone"), ("y.npy", b"n"), *triple("z"), ("README", b"")])
    found = read_all(WebdatasetSource(path=tmp_path))
    assert failures(found) == dict.fromkeys(["a/x", "a/y"], "no image under this key")
    assert names(found) == ["z.jpg"]


def test_a_member_that_is_too_large_is_named_and_not_read(
    tmp_path: Path, read_all: ReadAll, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webdataset, "MAX_MEMBER_BYTES", 50)
    write(tmp_path / "a.tar", [("x.jpg", b"p" * 51), ("y.jpg", b"p" * 50), ("z.npy", b"n" * 999)])
    found = read_all(WebdatasetSource(path=tmp_path))
    assert names(found) == ["y.jpg"]
    assert failures(found) == {
        "a/x": "a file under this key exceeds 50 bytes",
        "a/z": "no image under this key",
    }


def test_a_member_name_that_is_no_utf_8_is_refused(tmp_path: Path, read_all: ReadAll) -> None:
    members = [("\xff.jpg", b"p"), ("\xff.txt", b"t"), ("b.jpg", b"p"), ("\xff.jpg", b"p")]
    write(tmp_path / "a.tar", members, encoding="latin-1", format=tarfile.GNU_FORMAT)
    found = read_all(WebdatasetSource(path=tmp_path))
    assert names(found) == ["b.jpg"]
    assert [one.id for one in found] == ["a/\\xff", "a/b", "a/\\xff"]


def test_names_beyond_ascii_and_long_names_are_read(tmp_path: Path, read_all: ReadAll) -> None:
    long = "x" * 180
    write(tmp_path / "größe.tar", [*triple("日本"), *triple(long)])
    found = read_all(WebdatasetSource(path=tmp_path))
    assert [one.id for one in found] == ["größe/日本", f"größe/{long}"]


@pytest.mark.parametrize("length", [0, 100, 512, 1000, 1536, 1700, 2048, 2600, 3072, 3584])
def test_a_truncated_tar_gives_what_is_whole_and_says_so(
    length: int, tmp_path: Path, read_all: ReadAll
) -> None:
    # Four members of 700 bytes: a header and two blocks of 512 bytes each.
    path = write(tmp_path / "a.tar", [(f"{n}.jpg", bytes([n]) * 700) for n in range(4)])
    path.write_bytes(path.read_bytes()[:length])
    found = read_all(WebdatasetSource(path=tmp_path))
    assert names(found) == [f"{n}.jpg" for n in range(length // 1536)]
    assert list(failures(found)) == ["a.tar"]
    assert "the tar ends early or is damaged" in failures(found)["a.tar"]


def test_a_damaged_header_does_not_pass_for_the_end(tmp_path: Path, read_all: ReadAll) -> None:
    path = write(tmp_path / "a.tar", [(f"{n}.jpg", bytes([n]) * 700) for n in range(4)])
    data = bytearray(path.read_bytes())
    data[1536:1600] = b"Z" * 64
    path.write_bytes(data)
    found = read_all(WebdatasetSource(path=tmp_path))
    assert names(found) == ["0.jpg"]
    assert "its end mark is missing" in failures(found)["a.tar"]


def test_what_is_no_tar_costs_itself_alone(tmp_path: Path, read_all: ReadAll) -> None:
    (tmp_path / "a.tar").write_bytes(b"<html>404</html>" * 100)
    with tarfile.open(tmp_path / "b.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("x.jpg"))
    write(tmp_path / "c.tar", triple("x"))
    found = read_all(WebdatasetSource(path=tmp_path))
    assert sorted(failures(found)) == ["a.tar", "b.tar"]
    assert names(found) == ["x.jpg"]


def test_a_place_without_tars_is_a_wrong_setting(tmp_path: Path) -> None:
    for ask in (WebdatasetSource.inventory, lambda source: list(source.slices(5))):
        with pytest.raises(ConfigError, match=r"holds no \*\.tar"):
            ask(WebdatasetSource(path=tmp_path))
        with pytest.raises(ConfigError, match="does not exist"):
            ask(WebdatasetSource(path=tmp_path / "gone.tar"))


def test_a_tar_whose_name_is_no_utf_8_is_a_wrong_setting(tmp_path: Path) -> None:
    write(Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.tar")), triple("x"))
    with pytest.raises(ConfigError, match="is not valid UTF-8"):
        WebdatasetSource(path=tmp_path).inventory()


def test_the_inventory_knows_names_and_content_and_neither_place_nor_time(tmp_path: Path) -> None:
    here = tmp_path / "here"
    write(here / "a.tar", triple("x"))
    write(here / "b" / "c.tar", triple("y"))
    before = WebdatasetSource(path=here).inventory()
    there = shutil.copytree(here, tmp_path / "there")
    for file in there.rglob("*"):
        os.utime(file, (1, 1))
    assert WebdatasetSource(path=there).inventory() == before
    (there / "a.tar").rename(there / "z.tar")
    assert WebdatasetSource(path=there).inventory() != before
    length = (here / "a.tar").stat().st_size
    write(here / "a.tar", triple("x", "A cat."))
    assert (here / "a.tar").stat().st_size == length
    assert WebdatasetSource(path=here).inventory() != before


@pytest.mark.parametrize("path", ["tars", "tars/a.tar"])
def test_a_place_that_has_gone_is_no_failure_of_its_tars(tmp_path: Path, path: str) -> None:
    write(tmp_path / "tars" / "a.tar", triple("x"))
    source = WebdatasetSource(path=tmp_path / path)
    (part,) = source.slices(5)
    shutil.rmtree(tmp_path / "tars")
    with pytest.raises(ConfigError, match=f"{path} does not exist"):
        next(source.read(part))


def test_tars_in_linked_folders_are_found(tmp_path: Path, read_all: ReadAll) -> None:
    write(tmp_path / "elsewhere" / "a.tar", triple("x"))
    (tmp_path / "tars").mkdir()
    (tmp_path / "tars" / "link").symlink_to(tmp_path / "elsewhere")
    assert [one.id for one in read_all(WebdatasetSource(path=tmp_path / "tars"))] == ["link/a/x"]
