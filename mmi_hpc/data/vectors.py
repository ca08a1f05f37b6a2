"""HDF5 chunks of embeddings and of top-k candidates: row ids beside float32 matrices."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mmi_hpc.data import hdf5
from mmi_hpc.data.formats import Format
from mmi_hpc.data.records import Instruction, decode, encode

Float32 = npt.NDArray[np.float32]
Int64 = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Vector:
    """An embedding (d,) float32 with the id of what it embeds."""

    id: str
    values: Float32


@dataclass(frozen=True)
class BankEntry:
    """An instruction of the bank with its embedding (d,) float32."""

    instruction: Instruction
    values: Float32


@dataclass(frozen=True)
class Candidates:
    """The best instructions of one image: scores (k,) float32 descending, bank rows (k,) int64."""

    id: str
    scores: Float32
    indices: Int64


class VectorFormat(Format[Vector]):
    """Datasets `ids`, `ids_offsets`, `vectors` (n, d) float32."""

    suffix = ".h5"

    def content(self, row: Vector) -> bytes:
        """Id and bits of the vector."""
        return row.id.encode() + b"\0" + row.values.astype("<f4").tobytes()

    def save(self, path: Path, rows: Iterable[Vector]) -> None:
        """Write one chunk."""
        kept = list(rows)
        with hdf5.create(path) as file:
            hdf5.write_text(file, "ids", [row.id.encode() for row in kept])
            hdf5.write_array(file, "vectors", _stack([row.values for row in kept], np.float32))

    def read(self, path: Path) -> Iterator[Vector]:
        """Yield id and vector, row by row."""
        ids, vectors = self.matrix(path)
        for record_id, values in zip(ids, vectors, strict=True):
            yield Vector(record_id, values)

    def matrix(self, path: Path) -> tuple[list[str], Float32]:
        """All ids and the matrix (n, d) at once, as kernels want them."""
        with hdf5.open_read(path) as file:
            ids = [text.decode() for text in hdf5.read_text(file, "ids")]
            return ids, file["vectors"][:]


class BankFormat(Format[BankEntry]):
    """Datasets `instructions`, `instructions_offsets` (JSON), `vectors` (m, d) float32."""

    suffix = ".h5"

    def content(self, row: BankEntry) -> bytes:
        """The instruction and the bits of its vector."""
        return encode(row.instruction) + row.values.astype("<f4").tobytes()

    def save(self, path: Path, rows: Iterable[BankEntry]) -> None:
        """Write the bank."""
        kept = list(rows)
        with hdf5.create(path) as file:
            hdf5.write_text(file, "instructions", [encode(row.instruction) for row in kept])
            hdf5.write_array(file, "vectors", _stack([row.values for row in kept], np.float32))

    def read(self, path: Path) -> Iterator[BankEntry]:
        """Yield the entries in bank order."""
        with hdf5.open_read(path) as file:
            lines = hdf5.read_text(file, "instructions")
            vectors = file["vectors"][:]
        for index, (line, values) in enumerate(zip(lines, vectors, strict=True)):
            yield BankEntry(decode(Instruction, line, f"{path}[{index}]"), values)


class CandidateFormat(Format[Candidates]):
    """Datasets `ids`, `ids_offsets`, `scores` (n, k) float32, `indices` (n, k) int64."""

    suffix = ".h5"

    def content(self, row: Candidates) -> bytes:
        """Id, scores and indices."""
        numbers = row.scores.astype("<f4").tobytes() + row.indices.astype("<i8").tobytes()
        return row.id.encode() + b"\0" + numbers

    def save(self, path: Path, rows: Iterable[Candidates]) -> None:
        """Write one chunk."""
        kept = list(rows)
        with hdf5.create(path) as file:
            hdf5.write_text(file, "ids", [row.id.encode() for row in kept])
            hdf5.write_array(file, "scores", _stack([row.scores for row in kept], np.float32))
            hdf5.write_array(file, "indices", _stack([row.indices for row in kept], np.int64))

    def read(self, path: Path) -> Iterator[Candidates]:
        """Yield the candidates row by row."""
        ids, scores, indices = self.matrices(path)
        for record_id, score, index in zip(ids, scores, indices, strict=True):
            yield Candidates(record_id, score, index)

    def matrices(self, path: Path) -> tuple[list[str], Float32, Int64]:
        """All ids, scores (n, k) and indices (n, k) at once."""
        with hdf5.open_read(path) as file:
            ids = [text.decode() for text in hdf5.read_text(file, "ids")]
            return ids, file["scores"][:], file["indices"][:]


def _stack(rows: list[npt.NDArray[Any]], dtype: type[np.generic]) -> npt.NDArray[Any]:
    return np.stack(rows).astype(dtype, copy=False) if rows else np.zeros((0, 0), dtype)
