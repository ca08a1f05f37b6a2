"""What all sources share: tidy texts, safe names, even cuts."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmi_hpc.data.sources.base import (
    cut,
    digest_collection,
    existing,
    image_bytes,
    inside,
    joined,
    text_problem,
    tidy,
)
from mmi_hpc.errors import ConfigError

FOLDER = Path("/data/images")


@pytest.mark.parametrize(
    "name", ["", "..", "../x", "a/../../x", "/etc/passwd", "//x", "a/..", "x\0y", "../"]
)
def test_names_that_lead_out_are_refused(name: str, tmp_path: Path) -> None:
    assert inside(FOLDER, name) is None
    reason = image_bytes(tmp_path, name)
    assert isinstance(reason, str)
    assert repr(name) in reason


@given(st.text(max_size=30) | st.lists(st.sampled_from(["..", ".", "a", "/", ""])).map("/".join))
def test_whatever_is_let_in_lies_inside(name: str) -> None:
    path = inside(FOLDER, name)
    if path is not None:
        assert FOLDER in (path, *path.parents)
        assert ".." not in path.parts


def test_bad_names_are_refused_without_pixels_too() -> None:
    assert image_bytes(None, "") is None
    assert image_bytes(None, "a/b.jpg") is None
    for name in ("../b.jpg", "/b.jpg"):
        assert "leads out" in str(image_bytes(None, name))


def test_an_image_that_cannot_be_read_gives_the_reason(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_bytes(b"bytes")
    (tmp_path / "folder.jpg").mkdir()
    assert image_bytes(tmp_path, "a.jpg") == b"bytes"
    assert image_bytes(tmp_path, "./a.jpg") == b"bytes"
    assert "No such file" in str(image_bytes(tmp_path, "b.jpg"))
    assert "directory" in str(image_bytes(tmp_path, "folder.jpg"))
    assert "cannot be read" in str(image_bytes(tmp_path, "x" * 400))


@given(st.text(max_size=60))
def test_tidy_text_is_normal_printable_and_stays_as_it_is(text: str) -> None:
    found = tidy(text)
    assert tidy(found) == found
    assert unicodedata.is_normalized("NFC", found)
    assert not {unicodedata.category(c) for c in found.replace("\n", "").replace("\t", "")} & {
        "Cc",
        "Cs",
        "Zl",
        "Zp",
    }
    assert {c for c in found if unicodedata.category(c) == "Zs"} <= {" "}
    assert text_problem(found) is None


def test_tidy_drops_what_cannot_be_seen() -> None:
    assert tidy(" \ufeffa\x00\x1b[31mb\u202e\ud800 \n") == "a[31mb"
    assert tidy("e\u0301") == tidy("e\0\u0301") == "é"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10\u00a0km/h in\u2009Paris", "10 km/h in Paris"),
        ("東京\u3000タワー", "東京 タワー"),
        ("a\r\nb\rc\u2028d\u2029e\x85f\fg", "a\nb\nc\nd\ne\nf\ng"),
        ("\u3000\u200ba\u200b\u00a0\r", "a"),
    ],
)
def test_words_stay_apart(text: str, found: str) -> None:
    assert tidy(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: "I want", with a non-joiner
        "👩\u200d🚒",
        "soft\u00adhyphen",
        "left\u200eright\u200f",
        "unassigned \u0378 private \ue000",
        "a\tb\n\nc",
    ],
)
def test_what_belongs_to_a_script_is_kept(text: str) -> None:
    assert tidy(text) == text


def test_overrides_of_the_direction_are_dropped() -> None:
    orders = "".join(map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]))
    assert tidy(f"a{orders}b") == "ab"


def test_captions_become_one_text() -> None:
    assert joined(["A dog", " runs. ", "", "Why?", "\x00"]) == "A dog. runs. Why?"


def test_lone_surrogates_are_no_text() -> None:
    assert text_problem("fine 🙂") is None
    assert "surrogates" in str(text_problem("a\ud800b"))


@given(st.lists(st.integers()), st.integers(1, 9))
def test_a_cut_loses_nothing(names: list[int], rows: int) -> None:
    parts = list(cut(names, rows))
    assert [name for part in parts for name in part] == names
    assert all(len(part) == rows for part in parts[:-1])


def test_paths_of_the_configuration_must_be_there(tmp_path: Path) -> None:
    file = tmp_path / "list.jsonl"
    file.write_bytes(b"")
    assert existing(file, "the list", folder=False) == file
    with pytest.raises(ConfigError, match=r"the list .*list\.jsonl must be a folder"):
        existing(file, "the list", folder=True)
    with pytest.raises(ConfigError, match=r"or set ingest\.source\.kind=jsonl\."):
        existing(file, "the image folder", folder=True)
    with pytest.raises(ConfigError, match="must be a file"):
        existing(tmp_path, "the list", folder=False)
    with pytest.raises(ConfigError, match="gone does not exist"):
        existing(tmp_path / "gone", "the list", folder=True)


@pytest.mark.parametrize(
    ("name", "hint"),
    [("a.JSON", "kind=coco."), ("a.tar", "kind=webdataset."), ("a.zip", "and try again.")],
)
def test_a_file_in_place_of_a_folder_comes_with_its_kind(
    name: str, hint: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(ConfigError) as caught:
        existing(tmp_path / name, "the image folder", folder=True)
    assert str(caught.value).endswith(hint)


def test_a_collection_is_known_by_names_and_content(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(name.encode())

    def digest(*names: str | None) -> str:
        return digest_collection(
            lambda: ((n, tmp_path / name if name else None) for n, name in enumerate(names))
        )

    assert digest("a", "b") != digest("b", "a")
    assert digest("a") != digest("gone") == digest(None) == digest("x" * 5000)
    (tmp_path / "gone").write_bytes(b"")
    assert digest("gone") != digest(None)
