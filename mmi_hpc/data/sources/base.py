"""What every source gives: items with image bytes and texts, and failures with their reason."""

from __future__ import annotations

import re
import stat
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any, Literal, Protocol

import xxhash

from mmi_hpc.data.records import Box, Failure
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import digest_file, dump_json

Slice = dict[str, Any]
TextRole = Literal["description", "alt_text"]

IMAGE_SUFFIXES = frozenset(
    [".jpg", ".jpeg", ".png", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm"]
)

# Reading this much whenever a run is planned takes seconds; a collection of terabytes takes hours.
CONTENT_LIMIT_BYTES = 1 << 30

_KINDS_OF_FILES = {".jsonl": "jsonl", ".json": "coco", ".tar": "webdataset"}

# Spelled out rather than asked of `unicodedata`: every Python version must give the same text.
_LINE_ENDS = re.compile("\r\n?|[\x0b\x0c\x85\u2028\u2029]")
_SPACES = [0xA0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000]
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_SURROGATES = range(0xD800, 0xE000)
_BIDI_ORDERS = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]
_BYTE_ORDER_MARK = 0xFEFF
_TIDIED: dict[int, str | None] = {
    **dict.fromkeys(_SPACES, " "),
    **dict.fromkeys([*_CONTROLS, *_SURROGATES, *_BIDI_ORDERS, _BYTE_ORDER_MARK]),
    ord("\n"): "\n",
    ord("\t"): "\t",
}
_ENDS = " \n\t\u200b"


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
        """Digest of what the source holds: names and content, never the place or time.

        Beyond `CONTENT_LIMIT_BYTES` the sizes of images stand for their content: one that changes
        without changing its size is not noticed then. Remove `store/ingest` below the runs' root
        to have it taken in again.
        """

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the source into slices of at most `rows` items; each slice is plain JSON."""

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Yield the items of one slice in their order, and a failure for each unusable one.

        Raises:
            ConfigError: The source as a whole has gone, which is no failure of its images.
        """


def existing(path: Path, what: str, *, folder: bool) -> Path:
    """Check a path of the configuration.

    Raises:
        ConfigError: It is missing, or a file where a folder is meant, or the reverse.
    """
    if not path.exists():
        raise ConfigError(f"{what} {path} does not exist. Correct ingest.source and try again.")
    if path.is_dir() != folder:
        meant = "folder" if folder else "file"
        kind = _KINDS_OF_FILES.get(path.suffix.lower()) if folder else None
        hint = f", or set ingest.source.kind={kind}" if kind else ""
        raise ConfigError(
            f"{what} {path} must be a {meant}. Correct ingest.source and try again{hint}."
        )
    return path


def digest_collection(files: Callable[[], Iterable[tuple[Any, Path | None]]]) -> str:
    """Digest of many files that does not depend on where they lie.

    Files are digested by content while all of them together are at most `CONTENT_LIMIT_BYTES`,
    otherwise by size alone; which of the two was done is part of the digest. In a larger
    collection, a file that changes without changing its size is therefore not noticed.

    Args:
        files: Gives, each time it is called, every file's name (plain JSON) and its path, or None
            for a file that cannot be there.
    """
    by_content = sum(_size(path) or 0 for _, path in files()) <= CONTENT_LIMIT_BYTES
    hasher = xxhash.xxh3_128(b"content" if by_content else b"size")
    for name, path in files():
        content = content_digest(path) if by_content else None
        hasher.update(dump_json([name, _size(path), content]))
    return hasher.hexdigest()


def content_digest(path: Path | None) -> str | None:
    """Digest of a file's content, or None where no file can be read."""
    try:
        return digest_file(path) if path and path.is_file() else None
    except (OSError, ValueError):
        return None


def _size(path: Path | None) -> int | None:
    # Names come from data: one may be too long for the file system, or no valid Unicode.
    try:
        status = path.stat() if path else None
    except (OSError, ValueError):
        return None
    return status.st_size if status and stat.S_ISREG(status.st_mode) else None


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
    """Make every line end a newline and every other space a plain one, and trim both ends.

    Control characters other than newline and tab, lone surrogates, overrides of the writing
    direction and byte order marks are dropped. All else is kept: joiners belong to the spelling of
    Persian and to emoji. The result is in NFC.
    """
    kept = _LINE_ENDS.sub("\n", text).translate(_TIDIED)
    # What was dropped may have stood between a letter and its accent, so this comes last.
    return unicodedata.normalize("NFC", kept).strip(_ENDS)
