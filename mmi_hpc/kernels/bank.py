"""A bank of vectors made ready for search once and used for many calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import Rows, as_rows, check_threads, squared_norms


@dataclass(frozen=True)
class BankPart:
    """Consecutive rows of a bank, packed.

    Attributes:
        first: Number of the first of them within the bank.
        rows: float32 (count, d), contiguous.
        packed: The same rows as the scan reads them.
    """

    first: int
    rows: NDArray[np.float32]
    packed: _core.PackedBank


class Bank:
    """Rows packed for `cosine_topk`, to be searched many times.

    Packing takes as long as searching for a few thousand queries; the packed copy is half the size
    of the float32 rows with 16-bit scans (AMX), and as large otherwise. Contiguous float32 rows are
    used in place and must not change while the bank is in use; float16, bfloat16 and strided rows
    are widened into a float32 copy, which the bank keeps.

    Args:
        array: (M, d), float32, float16 or bfloat16, on the CPU.
        normalize: False for a bank that is searched by inner product.
        threads: Number of threads; by default the cores this process may run on.

    Raises:
        TypeError: It is no array or has another dtype.
        ValueError: It is on a device or not two-dimensional, has no columns, or a row is not finite
            (the first is named).

    Example:
        >>> bank = Bank(np.eye(3, dtype=np.float32))
        >>> cosine_topk(np.ones((1, 3), np.float32), bank, 2).indices
        array([[0, 1]])
    """

    def __init__(self, array: Any, *, normalize: bool = True, threads: int | None = None) -> None:
        self._rows = as_rows("bank", array)
        self._normalize = bool(normalize)
        self._parts = list(pack_parts(self._rows, self._normalize, check_threads(threads)))

    @property
    def shape(self) -> tuple[int, int]:
        """(M, d)."""
        return self._rows.count, self._rows.dim

    @property
    def normalize(self) -> bool:
        """Whether scores are cosines rather than inner products."""
        return self._normalize

    @property
    def nbytes(self) -> int:
        """Bytes of the packed copy."""
        return sum(part.packed.nbytes for part in self._parts)

    @property
    def rows(self) -> Rows:
        """The rows it was made of."""
        return self._rows

    @property
    def parts(self) -> list[BankPart]:
        """The packed rows, cut where a single piece would be too large."""
        return self._parts


def pack_parts(rows: Rows, normalize: bool, threads: int) -> Iterator[BankPart]:
    """Pack a bank part by part; who lets go of a part before the next one bounds the memory."""
    for first, end in rows.parts():
        block = rows.float32(first, end)
        norms = squared_norms(block, rows.name, first, threads)
        yield BankPart(first, block, _core.pack_bank(block, norms, normalize, threads))
