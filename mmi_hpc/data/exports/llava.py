"""Export in LLaVA's layout: `llava.json`, images beside it, and where every record came from.

llava.json         list of {id, image, conversations: [{from: human}, {from: gpt}]}
provenance.jsonl   one line a record: cosine, models, prompt, flags, scores
images/            only with export.images=extract; records name them by their path from here
manifest.json      counts, settings and fingerprints, size and xxh128 of every file
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
import xxhash

from mmi_hpc.data.formats import Format
from mmi_hpc.files import digest_file

IMAGE_TOKEN = "<image>"  # noqa: S105 (no secret: what trainers replace by pixels)
_SUFFIXES = {
    "JPEG": ".jpg",
    "PNG": ".png",
    "WEBP": ".webp",
    "GIF": ".gif",
    "BMP": ".bmp",
    "TIFF": ".tif",
    "PPM": ".ppm",
}


@dataclass(frozen=True)
class ExportRow:
    """One record of the dataset.

    Attributes:
        id: Unique id of the record.
        image: Path that the record names; "" for a text-only record.
        instruction: The human turn.
        answer: The assistant's turn.
        provenance: Where it came from, for provenance.jsonl.
        data: Encoded bytes to write at `image`, or None to leave images where they are.
    """

    id: str
    image: str
    instruction: str
    answer: str
    provenance: dict[str, Any]
    data: bytes | None = None


class LlavaFormat(Format[ExportRow]):
    """Writes the export folder.

    Args:
        about: What the manifest says about the run (settings, fingerprints, counts).
    """

    suffix = ""

    def __init__(self, about: dict[str, Any] | None = None) -> None:
        self._about = about or {}

    def content(self, row: ExportRow) -> bytes:
        """The record and its provenance."""
        return orjson.dumps(record(row)) + orjson.dumps(row.provenance)

    def save(self, path: Path, rows: Iterable[ExportRow]) -> None:
        """Stream the rows into the folder, then write the manifest."""
        images = set[str]()
        count = 0
        with (
            (path / "llava.json").open("wb") as data,
            (path / "provenance.jsonl").open("wb") as log,
        ):
            data.write(b"[")
            for count, row in enumerate(rows, 1):
                data.write((b",\n" if count > 1 else b"\n") + orjson.dumps(record(row)))
                log.write(orjson.dumps({"id": row.id, **row.provenance}) + b"\n")
                if row.data is not None and row.image not in images:
                    images.add(row.image)
                    _write_image(path / row.image, row.data)
            data.write(b"\n]\n")
            for file in (data, log):
                file.flush()
                os.fsync(file.fileno())
        self._write_manifest(path, count)

    def read(self, path: Path) -> Iterator[ExportRow]:
        """Read records and provenance back; image bytes stay on disk."""
        records = orjson.loads((path / "llava.json").read_bytes())
        lines = (path / "provenance.jsonl").read_bytes().splitlines()
        for entry, line in zip(records, lines, strict=True):
            human, assistant = (turn["value"] for turn in entry["conversations"])
            provenance = orjson.loads(line)
            provenance.pop("id")
            instruction = human.removeprefix(f"{IMAGE_TOKEN}\n")
            yield ExportRow(entry["id"], entry.get("image", ""), instruction, assistant, provenance)

    def _write_manifest(self, path: Path, count: int) -> None:
        files = sorted(file for file in path.rglob("*") if file.is_file())
        listed = [
            {
                "path": file.relative_to(path).as_posix(),
                "size": file.stat().st_size,
                "xxh128": digest_file(file),
            }
            for file in files
        ]
        content = {**self._about, "records": count, "files": listed}
        with (path / "manifest.json").open("wb") as file:
            options = orjson.OPT_SORT_KEYS | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
            file.write(orjson.dumps(content, option=options))
            file.flush()
            os.fsync(file.fileno())


def record(row: ExportRow) -> dict[str, Any]:
    """One entry of llava.json; the image token stands first and in the first human turn only."""
    asked = f"{IMAGE_TOKEN}\n{row.instruction}" if row.image else row.instruction
    image = {"image": row.image} if row.image else {}
    turns = [{"from": "human", "value": asked}, {"from": "gpt", "value": row.answer}]
    return {"id": row.id, **image, "conversations": turns}


def image_path(record_id: str, format_name: str) -> str:
    """A safe relative path for an image, whatever its id: a readable part and a digest."""
    readable = re.sub(r"[^a-z0-9]+", "-", record_id.casefold()).strip("-")[-40:].strip("-")
    digest = xxhash.xxh3_64_hexdigest(record_id.encode())
    stem = f"{readable}-{digest}" if readable else digest
    return f"images/{digest[:2]}/{stem}{_SUFFIXES.get(format_name, '.img')}"


def _write_image(path: Path, data: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
