"""One JSON object a line: id, image name, texts and boxes; the images lie in one folder."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import orjson
import xxhash

from mmi_hpc.config.settings import Place, Settings
from mmi_hpc.data.records import Box, Failure
from mmi_hpc.data.sources.base import (
    Item,
    Slice,
    cut,
    digest_collection,
    existing,
    image_bytes,
    inside,
    joined,
    tidy,
)
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import digest_file


class Fields(Settings):
    """Names of the fields that hold what we need; a field may be absent from a line."""

    id: str = "id"
    image: str = "image"
    description: str = "description"
    alt_text: str = "alt_text"
    boxes: str = "instances"


class JsonlSource(Settings):
    """A list of records, with or without pixels.

    Attributes:
        path: The file.
        images: Folder below which the image names lie; None for texts without pixels.
        fields: Which field holds what. A description may be a list of sentences; boxes are
            objects with `category` or `label` and `bbox` or `box` (x1, y1, x2, y2 in 0..1).
    """

    kind: Literal["jsonl"] = "jsonl"
    path: Place
    images: Place | None = None
    fields: Fields = Fields()

    def inventory(self) -> str:
        """Digest of the list, and of the images that it names.

        The list counts by content; the images, too, unless they are beyond `CONTENT_LIMIT_BYTES`
        in all: then one that changes without changing its size is not noticed, and `store/ingest`
        can be removed to take it in again.
        """
        self._check_places()
        hasher = xxhash.xxh3_128(digest_file(self.path).encode())
        if self.images is not None:
            hasher.update(digest_collection(self._image_files).encode())
        return hasher.hexdigest()

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the list of lines; a line whose id was seen before is marked as a duplicate."""
        seen: set[str] = set()
        numbers: list[list[int | bool]] = []
        for number, line in enumerate(self._lines):
            if not line.strip():
                continue
            entry = _parse(line)
            record_id = self._id(entry, number)
            numbers.append([number, record_id in seen])
            if entry is not None:
                seen.add(record_id)
        if not numbers:
            raise ConfigError(f"{self.path} holds no records. Correct ingest.source.path.")
        for part in cut(numbers, rows):
            yield {"rows": len(part), "lines": list(part)}

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Parse the lines of a slice and read their images."""
        self._check_places()
        for number, duplicate in part["lines"]:
            entry = _parse(self._lines[number])
            record_id = self._id(entry, number)
            if entry is None:
                yield Failure(record_id, f"line {number + 1} of {self.path.name} is no JSON object")
            elif duplicate:
                yield Failure(record_id, f"line {number + 1} repeats the id {record_id!r}")
            else:
                yield self._item(record_id, entry)

    def _check_places(self) -> None:
        existing(self.path, "the list of records", folder=False)
        if self.images is not None:
            existing(self.images, "the image folder", folder=True)

    @cached_property
    def _lines(self) -> list[bytes]:
        existing(self.path, "the list of records", folder=False)
        return self.path.read_bytes().splitlines()

    def _id(self, entry: dict[str, Any] | None, number: int) -> str:
        for name in (self.fields.id, self.fields.image):
            value = (entry or {}).get(name)
            if isinstance(value, (str, int)) and (record_id := tidy(str(value))):
                return record_id
        return f"line-{number + 1}"

    def _item(self, record_id: str, entry: dict[str, Any]) -> Item | Failure:
        texts = {}
        for role in ("description", "alt_text"):
            field = getattr(self.fields, role)
            sentences = value if isinstance(value := entry.get(field) or "", list) else [value]
            if not all(isinstance(sentence, str) for sentence in sentences):
                return Failure(record_id, f"its {field} is neither a text nor a list of texts")
            texts[role] = joined(sentences) if isinstance(value, list) else tidy(value)
        name = entry.get(self.fields.image) or ""
        if not isinstance(name, str):
            return Failure(record_id, f"its {self.fields.image} is no name")
        boxes = parse_boxes(entry.get(self.fields.boxes) or [])
        if boxes is None:
            return Failure(record_id, f"its {self.fields.boxes} are no boxes in 0..1")
        data = image_bytes(self.images, name)
        if isinstance(data, str):
            return Failure(record_id, data)
        return Item(record_id, name, data, texts["alt_text"], texts["description"], boxes)

    def _image_files(self) -> Iterator[tuple[int, Path | None]]:
        for number, line in enumerate(self._lines):
            name = str((_parse(line) or {}).get(self.fields.image) or "")
            yield number, inside(self.images, name) if self.images else None


def parse_boxes(value: Any) -> tuple[Box, ...] | None:
    """Boxes from a list of objects, or None when one of them is no box."""
    boxes = []
    try:
        for entry in value:
            label = entry.get("category", entry.get("label"))
            corners = [float(number) for number in entry.get("bbox", entry.get("box"))]
            x1, y1, x2, y2 = corners
            if not (isinstance(label, str) and 0 <= x1 <= x2 <= 1 and 0 <= y1 <= y2 <= 1):
                return None
            boxes.append(Box(tidy(label), x1, y1, x2, y2))
    except (AttributeError, TypeError, ValueError):
        return None
    return tuple(boxes)


def _parse(line: bytes) -> dict[str, Any] | None:
    try:
        entry = orjson.loads(line)
    except orjson.JSONDecodeError:
        return None
    return entry if isinstance(entry, dict) else None
