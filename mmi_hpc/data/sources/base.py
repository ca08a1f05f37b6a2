"""What every source gives: items with image bytes and texts, and failures with their reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol

from mmi_hpc.data.records import Box, Failure
from mmi_hpc.errors import ConfigError

Slice = dict[str, Any]
TextRole = Literal["description", "alt_text"]

IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"]
)


@dataclass(frozen=True)
class Item:
    """One image as its source gives it.

    Attributes:
        id: Unique in the source.
        name: File name or key.
        data: Encoded bytes, or None for a source of texts without pixels.
        alt_text: Text that came with the image.
        description: A description that is to be used as it is.
        boxes: Known objects.
    """

    id: str
    name: str
    data: bytes | None
    alt_text: str = ""
    description: str = ""
    boxes: tuple[Box, ...] = ()


def with_text(item: Item, role: TextRole, text: str) -> Item:
    """The item with its one text put where the source's settings say it belongs."""
    if role == "description":
        return replace(item, description=tidy(text))
    return replace(item, alt_text=tidy(text))


class Source(Protocol):
    """The settings of a source, which also read it."""

    def inventory(self) -> str:
        """Digest of what the source holds: names and sizes or content, never the place or time."""

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the source into slices of at most `rows` items; each slice is plain JSON."""

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Yield the items of one slice in their order, and a failure for each unusable one."""


def existing(path: Path, what: str, *, folder: bool) -> Path:
    """Check a path of the configuration.

    Raises:
        ConfigError: It is missing, or a file where a folder is meant, or the reverse.
    """
    if not path.exists():
        raise ConfigError(f"{what} {path} does not exist. Correct ingest.source and try again.")
    if path.is_dir() != folder:
        kind = "folder" if folder else "file"
        raise ConfigError(f"{what} {path} must be a {kind}. Correct ingest.source and try again.")
    return path


def inside(folder: Path, name: str) -> Path | None:
    """The path of `name` below `folder`, or None for an empty name or one that leads out of it."""
    pure = PurePosixPath(name)
    if not name or "\0" in name or pure.is_absolute() or ".." in pure.parts:
        return None
    return folder / pure


def image_bytes(folder: Path | None, name: str) -> bytes | str | None:
    """Bytes of an image below `folder`, or the reason why not; None where there are no pixels."""
    path = inside(folder or Path(), name)
    # Names go into the dataset, where trainers read them as paths: a bad one is refused even when
    # nothing is read here.
    if path is None and (name or folder is not None):
        return f"its image name {name!r} is empty or leads out of the image folder"
    if folder is None or path is None:
        return None
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        return f"its image {name!r} cannot be read: {getattr(error, 'strerror', None) or error}"


def cut(names: Sequence[Any], rows: int) -> Iterator[Sequence[Any]]:
    """Cut a sequence into consecutive parts of at most `rows`."""
    for start in range(0, len(names), rows):
        yield names[start : start + rows]


def text_problem(text: str) -> str | None:
    """Why a text cannot be stored as UTF-8, or None."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return "its text holds lone surrogates, which are no valid Unicode"
    return None


def joined(sentences: Iterable[str]) -> str:
    """One text from several captions, each with its full stop."""
    texts = [text for text in map(tidy, sentences) if text]
    return " ".join(text if text.endswith((".", "!", "?")) else f"{text}." for text in texts)


def tidy(text: str) -> str:
    """Normalise to NFC, drop control characters other than newline and tab, trim the ends."""
    kept = (c for c in unicodedata.normalize("NFC", text) if c in "\n\t" or c.isprintable())
    return "".join(kept).strip()
