"""A folder of images, searched recursively, with an optional text file beside each image."""

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
    cut,
    existing,
    with_text,
)
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import digest_file, dump_json


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
        """Digest of all relative names, the sizes of the images, and the texts."""
        hasher = xxhash.xxh3_128()
        for name in self._names():
            image, text = self.path / name, self._text_file(name)
            size = image.stat().st_size if image.exists() else None
            # A corrected word often leaves a text as long as it was.
            digest = digest_file(text) if text.is_file() else None
            hasher.update(dump_json([os.fsencode(name).hex(), size, digest]))
        return hasher.hexdigest()

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the sorted list of names."""
        for names in cut(self._names(), rows):
            yield {"rows": len(names), "names": [os.fsencode(name).hex() for name in names]}

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Read images and texts."""
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
        found = []
        for folder, _, files in os.walk(root, onerror=_unreadable):
            below = os.path.relpath(folder, root)
            for file in files:
                if os.path.splitext(file)[1].lower() in IMAGE_SUFFIXES:
                    found.append(os.path.normpath(os.path.join(below, file)))
        if not found:
            raise ConfigError(
                f"the folder {root} holds no images ({', '.join(sorted(IMAGE_SUFFIXES))}). "
                "Correct ingest.source.path and try again."
            )
        return sorted(found)


def _unreadable(error: OSError) -> None:
    raise ConfigError(
        f"cannot look into the folder {error.filename}: {error.strerror}. "
        "Correct its permissions or ingest.source.path and try again."
    ) from error
