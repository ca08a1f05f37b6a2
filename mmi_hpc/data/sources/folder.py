"""A folder of images, searched with all folders below, with an optional text file beside each."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import xxhash

from mmi_hpc.config.settings import Place, Settings
from mmi_hpc.data.records import Failure
from mmi_hpc.data.sources.base import (
    IMAGE_SUFFIXES,
    Item,
    Slice,
    TextRole,
    content_digest,
    cut,
    digest_collection,
    existing,
    with_text,
)
from mmi_hpc.data.sources.tree import files_below
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import dump_json


class FolderSource(Settings):
    """`photo.jpg` with `photo.txt` beside it; a missing text file means no text.

    Attributes:
        path: The folder.
        text: What the text files hold: the image's `description`, or its `alt_text`.
    """

    kind: Literal["folder"] = "folder"
    path: Place
    text: TextRole = "description"

    def inventory(self) -> str:
        """Digest of all relative names, the images and the texts.

        The texts count by content; the images, too, unless they are beyond `CONTENT_LIMIT_BYTES`
        in all: then one that changes without changing its size is not noticed, and `store/ingest`
        can be removed to take it in again.
        """
        names = self._names()
        images = digest_collection(
            lambda: ((os.fsencode(name).hex(), self.path / name) for name in names)
        )
        hasher = xxhash.xxh3_128(images.encode())
        for name in names:
            # A corrected word often leaves a text as long as it was.
            hasher.update(dump_json(content_digest(self._text_file(name))))
        return hasher.hexdigest()

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the sorted list of names."""
        for names in cut(self._names(), rows):
            yield {"rows": len(names), "names": [os.fsencode(name).hex() for name in names]}

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Read images and texts."""
        existing(self.path, "the image folder", folder=True)
        for encoded in part["names"]:
            yield self._item(os.fsdecode(bytes.fromhex(encoded)))

    def _item(self, name: str) -> Item | Failure:
        # Escaped, not replaced: two names that are no UTF-8 must stay two ids.
        shown = os.fsencode(name).decode("utf-8", "backslashreplace")
        try:
            data = (self.path / name).read_bytes()
            text = self._text(name)
        except UnicodeDecodeError:
            return Failure(shown, f"the text file beside {shown} is not valid UTF-8")
        except OSError as error:
            return Failure(shown, f"{shown} cannot be read: {error.strerror}")
        return with_text(Item(shown, shown, data), self.text, text)

    def _text(self, name: str) -> str:
        file = self._text_file(name)
        return file.read_text(encoding="utf-8") if file.exists() else ""

    def _text_file(self, name: str) -> Path:
        return (self.path / name).with_suffix(".txt")

    def _names(self) -> list[str]:
        root = existing(self.path, "the image folder", folder=True)
        found = files_below(root, IMAGE_SUFFIXES)
        if not found:
            raise ConfigError(
                f"the folder {root} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))}). "
                "Correct ingest.source.path and try again."
            )
        return found
