"""The done marker: the one file whose existence makes a shard's attempt the shard's result."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from mmi_hpc.data.formats import ContentSum
from mmi_hpc.errors import DamagedFileError
from mmi_hpc.files import dump_json, load_json

SCHEMA = 1
_STRICT = ConfigDict(extra="forbid")


@dataclass(frozen=True)
class Output:
    """A file (or folder) that an attempt left: name, bytes on disk, rows and their digest."""

    path: str
    size: int
    count: int
    digest: str

    __pydantic_config__ = _STRICT

    @property
    def content(self) -> ContentSum:
        """Rows and digest as a sum that can be added up over shards."""
        return ContentSum.parse(self.count, self.digest)


@dataclass(frozen=True)
class Marker:
    """What is recorded of a finished shard.

    Attributes:
        schema: Version of this layout.
        stage: The stage's name.
        shard: Shard number.
        attempt: Generation of the lease under which it was made.
        fingerprint: Fingerprint of the stage.
        output: The rows.
        failures: The ledger of records that gave no row, or None.
        left_out: How many of these a rule left out on purpose.
        started: Seconds since the epoch.
        seconds: Wall time of this attempt.
        worker: Who made it.
        environment: Machine, Python, package versions, and the encoder's device and dtype.
    """

    schema: int
    stage: str
    shard: int
    attempt: int
    fingerprint: str
    output: Output
    failures: Output | None
    left_out: int
    started: float
    seconds: float
    worker: str
    environment: dict[str, str]

    __pydantic_config__ = _STRICT

    @property
    def failed(self) -> int:
        """How many records failed."""
        return self.failures.count - self.left_out if self.failures else 0

    def encode(self) -> bytes:
        """As JSON."""
        return dump_json(asdict(self))


_ADAPTER = TypeAdapter(Marker)


def read_marker(path: Path) -> Marker:
    """Read a marker strictly.

    Raises:
        DamagedFileError: It is torn, of another schema, or holds unknown or missing fields.
    """
    content: Any = load_json(path)
    try:
        marker = _ADAPTER.validate_python(content)
    except ValidationError as error:
        reason = error.errors()[0]["msg"]
        raise DamagedFileError(f"{path} is no done marker: {reason}.") from error
    if marker.schema != SCHEMA:
        raise DamagedFileError(f"{path} has schema {marker.schema}; this version reads {SCHEMA}.")
    return marker


def size_of(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_dir():
        return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return path.stat().st_size


def busy_seconds(spans: list[tuple[float, float]]) -> float:
    """Length of the union of (start, end) spans: time in which anybody worked, without pauses."""
    total, reached = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total
