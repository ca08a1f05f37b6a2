"""How a stage's rows become a file: one format object per kind of row.

A format writes rows to an attempt's own file and reads them back. Its `content` bytes identify a
row whatever the file around it looks like; their sum is the stage's content identity, which is
the same for any number of shards and any order of them.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

import xxhash

from mmi_hpc.data.records import decode, encode

Row = TypeVar("Row")
_MODULUS = 1 << 128


@dataclass(frozen=True)
class ContentSum:
    """Number and order-independent digest (sum of xxh128 modulo 2^128) of a set of rows."""

    count: int = 0
    value: int = 0

    def add(self, content: bytes) -> ContentSum:
        """The sum with one more row."""
        return self + ContentSum(1, xxhash.xxh3_128_intdigest(content))

    def __add__(self, other: ContentSum) -> ContentSum:
        return ContentSum(self.count + other.count, (self.value + other.value) % _MODULUS)

    @property
    def digest(self) -> str:
        """32 hex digits."""
        return f"{self.value:032x}"

    @classmethod
    def parse(cls, count: int, digest: str) -> ContentSum:
        """Rebuild the sum from what a marker holds."""
        return cls(count, int(digest, 16))


class Format(ABC, Generic[Row]):
    """How rows of one kind are stored. `suffix` ends the file name; "" means a folder."""

    suffix: str

    @abstractmethod
    def content(self, row: Row) -> bytes:
        """The bytes that identify a row."""

    @abstractmethod
    def save(self, path: Path, rows: Iterable[Row]) -> None:
        """Write all rows to `path` and flush them to disk."""

    @abstractmethod
    def read(self, path: Path) -> Iterator[Row]:
        """Yield the rows in the order in which they were written."""

    def write(self, path: Path, rows: Iterable[Row]) -> ContentSum:
        """Write all rows and return their number and digest."""
        total = ContentSum()

        def counted() -> Iterator[Row]:
            nonlocal total
            for row in rows:
                total = total.add(self.content(row))
                yield row

        self.save(path, counted())
        return total

    def measure(self, path: Path) -> ContentSum:
        """Number and digest of the rows that a file really holds."""
        total = ContentSum()
        for row in self.read(path):
            total = total.add(self.content(row))
        return total


class JsonLines(Format[Row]):
    """One record a line, strict when read back."""

    suffix = ".jsonl"

    def __init__(self, record: type[Row]) -> None:
        self.record = record

    def content(self, row: Row) -> bytes:
        """The line itself."""
        return encode(row)

    def save(self, path: Path, rows: Iterable[Row]) -> None:
        """Write the lines."""
        with path.open("wb") as file:
            for row in rows:
                file.write(encode(row))
            file.flush()
            os.fsync(file.fileno())

    def read(self, path: Path) -> Iterator[Row]:
        """Parse the lines.

        Raises:
            ValueError: A line is torn or is no such record.
        """
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    raise ValueError(f"{path}:{number} ends in the middle of a line")
                yield decode(self.record, line, f"{path}:{number}")
