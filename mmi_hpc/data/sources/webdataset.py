"""Webdataset tars, as img2dataset writes them: `000000012.jpg`, `.txt`, `.json` under one key."""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, Literal

import orjson

from mmi_hpc.config.settings import Place, Settings
from mmi_hpc.data.records import Failure
from mmi_hpc.data.sources.base import (
    IMAGE_SUFFIXES,
    Item,
    Slice,
    TextRole,
    digest_collection,
    existing,
    text_problem,
    with_text,
)
from mmi_hpc.data.sources.tree import files_below
from mmi_hpc.errors import ConfigError

# Larger members are no photos; reading them would let one file take a worker's memory.
MAX_MEMBER_BYTES = 512 << 20
_TEXTS = frozenset([".txt", ".json"])
_END = b"\0" * tarfile.BLOCKSIZE


class WebdatasetSource(Settings):
    """All `*.tar` files below a folder; one tar is one shard, and its path is part of the id.

    Attributes:
        path: The folder, or one tar file.
        text: What the `.txt` (or the json's `caption`) means: `alt_text` as downloaded from the
            web, or `description`.
    """

    kind: Literal["webdataset"] = "webdataset"
    path: Place
    text: TextRole = "alt_text"

    def inventory(self) -> str:
        """Digest of the relative names of the tars, and of the tars.

        Tars count by content unless they are beyond `CONTENT_LIMIT_BYTES` in all: then one that
        changes without changing its size is not noticed, and `store/ingest` can be removed to take
        it in again.
        """
        names = self._tars()
        return digest_collection(lambda: ((name, self._root / name) for name in names))

    def slices(self, rows: int) -> Iterator[Slice]:
        """One slice a tar: reading a tar from its middle would read all before it."""
        for name in self._tars():
            yield {"rows": 0, "tar": name}

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Read one tar front to back; members of one key stand together."""
        existing(self.path, "the place of the tars", folder=self.path.is_dir())
        prefix = PurePosixPath(part["tar"]).with_suffix("").as_posix()
        seen: set[str] = set()
        try:
            with tarfile.open(self._root / part["tar"], "r:") as tar:
                for key, members in _groups(tar):
                    # A name that is no UTF-8 comes with surrogates, which no file of ours can hold.
                    record_id = os.fsencode(f"{prefix}/{key}").decode("utf-8", "backslashreplace")
                    if key in seen:
                        yield Failure(record_id, f"the key {key!r} appears twice in {part['tar']}")
                    else:
                        seen.add(key)
                        yield self._item(record_id, key, members)
                if not _is_at_its_end(tar):
                    raise tarfile.ReadError("its end mark is missing")
        except (tarfile.TarError, OSError, EOFError) as error:
            yield Failure(part["tar"], f"the tar ends early or is damaged: {error}")

    def _item(self, record_id: str, key: str, members: dict[str, bytes | None]) -> Item | Failure:
        if problem := _key_problem(key):
            return Failure(record_id, problem)
        images = sorted(suffix for suffix in members if suffix in IMAGE_SUFFIXES)
        if not images:
            return Failure(record_id, "no image under this key")
        if None in members.values():
            return Failure(record_id, f"a file under this key exceeds {MAX_MEMBER_BYTES:,} bytes")
        try:
            text = _text(members)
        except ValueError:
            return Failure(record_id, "its text is not valid UTF-8, or its json holds none")
        name = key + images[0]
        return with_text(Item(record_id, name, members[images[0]]), self.text, text)

    @property
    def _root(self) -> Path:
        return self.path if self.path.is_dir() else self.path.parent

    def _tars(self) -> list[str]:
        if not self.path.is_dir():
            return [existing(self.path, "the tar file", folder=False).name]
        names = files_below(self.path, {".tar"})
        if not names:
            raise ConfigError(f"the folder {self.path} holds no *.tar. Correct ingest.source.path.")
        for name in names:
            if text_problem(name):
                raise ConfigError(
                    f"the name {name!r} in {self.path} is not valid UTF-8. Rename it."
                )
        return names


def _groups(tar: tarfile.TarFile) -> Iterator[tuple[str, dict[str, bytes | None]]]:
    """Consecutive members with equal key, by suffix; they are read, never extracted to a path.

    What is neither image nor text is not read (b""), nor is what is too large (None).
    """
    key, members = "", dict[str, bytes | None]()
    for member in tar:
        folder, _, base = member.name.rpartition("/")
        stem, dot, suffix = base.partition(".")
        if not member.isfile() or not dot:
            continue
        member_key = f"{folder}/{stem}" if folder else stem
        if member_key != key and members:
            yield key, members
            members = {}
        key = member_key
        members[f".{suffix.lower()}"] = _content(tar, member, f".{suffix.lower()}")
    if members:
        yield key, members


def _content(tar: tarfile.TarFile, member: tarfile.TarInfo, suffix: str) -> bytes | None:
    if suffix not in IMAGE_SUFFIXES | _TEXTS:
        return b""
    if member.size > MAX_MEMBER_BYTES:
        return None
    file = tar.extractfile(member)
    return file.read() if file else b""


def _is_at_its_end(tar: tarfile.TarFile) -> bool:
    """Whether the reader stopped at the end mark: it takes a damaged header for an end, too."""
    assert tar.fileobj is not None
    tar.fileobj.seek(tar.offset)
    return tar.fileobj.read(tarfile.BLOCKSIZE) == _END


def _key_problem(key: str) -> str | None:
    pure = PurePosixPath(key)
    if pure.is_absolute() or ".." in pure.parts:
        return f"its name {key!r} leads out of the archive"
    return "its name is not valid UTF-8" if text_problem(key) else None


def _text(members: dict[str, bytes | None]) -> str:
    if text := members.get(".txt"):
        return text.decode()
    meta: Any = orjson.loads(members.get(".json") or b"{}")
    caption = meta.get("caption") if isinstance(meta, dict) else None
    if not isinstance(caption, str | None):
        raise ValueError("the caption is no text")
    return caption or ""
