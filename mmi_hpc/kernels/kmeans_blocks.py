"""The rows of one k-means call as blocks: a resident array is one, anything else is read by parts.

A block keeps what k-means needs of its rows from one pass to the next (norms, weights, labels: 24
bytes a row) and reads the rows themselves whenever they are needed, so that `x` may exceed memory.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import Rows, squared_norms


@dataclass
class RowBlock:
    """Consecutive rows of `x`.

    Attributes:
        rows: All rows of `x`, in the caller's dtype.
        begin: First row of the block within `rows`.
        end: One past the last.
        first: Global number of row `begin`: the rows of lower ranks come before it.
        norms: float64 (n,), squared norms.
        weights: float64 (n,), scaled so that the largest of all ranks is below 2; None: all ones.
        labels: int64 (n,), the latest assignment; None before the first.
        packed: Rows that are used in place, packed at the first assignment.
    """

    rows: Rows
    begin: int
    end: int
    first: int
    norms: NDArray[np.float64]
    weights: NDArray[np.float64] | None = None
    labels: NDArray[np.int64] | None = None
    packed: _core.PackedRows | None = None

    @property
    def count(self) -> int:
        """Number of rows."""
        return self.end - self.begin

    def float32(self) -> NDArray[np.float32]:
        """The rows as contiguous float32: a view of a resident array, else a copy."""
        return self.rows.float32(self.begin, self.end)

    def pack(self, x: NDArray[np.float32], cosine: bool, threads: int) -> _core.PackedRows:
        """The rows x of this block as the scan reads them; kept if x is no copy."""
        if self.packed is not None:
            return self.packed
        packed = _core.pack_rows(x, self.norms, cosine, threads)
        if self.rows.resident:
            self.packed = packed
        return packed

    def row(self, number: int) -> NDArray[np.float32]:
        """A copy of the row with this global number, shape (1, d)."""
        at = self.begin + number - self.first
        row: NDArray[np.float32] = self.rows.float32(at, at + 1).copy()
        return row

    def known_labels(self) -> NDArray[np.int64]:
        """The labels, of rows that have been accumulated.

        Raises:
            ValueError: They have not.
        """
        if self.labels is None:
            raise ValueError("these rows have no labels yet; accumulate them first")
        return self.labels


def split(rows: Rows, threads: int) -> list[RowBlock]:
    """The blocks of `x`, numbered from row 0.

    Raises:
        ValueError: A row is not finite; the first is named.
    """
    return [
        RowBlock(
            rows, begin, end, begin, squared_norms(rows.float32(begin, end), "x", begin, threads)
        )
        for begin, end in _bounds(rows)
    ]


def absolute_maximum(blocks: list[RowBlock], threads: int) -> float:
    """The largest |value| of all rows; 0 without rows."""
    maxima = (_core.absolute_maximum(block.float32(), threads) for block in blocks)
    return max(maxima, default=0.0)


def _bounds(rows: Rows) -> Iterator[tuple[int, int]]:
    if rows.resident:
        yield from [(0, rows.count)] if rows.count else []
    else:
        yield from rows.blocks()
