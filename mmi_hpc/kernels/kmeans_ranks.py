"""What the ranks of one k-means run tell each other.

Two calls are enough, and they are named as in mpi4py, so an `MPI.Comm` is a `Ranks`. Rows are
numbered across ranks: those of rank 0 first. Everything exchanged is an integer total or a row, so
what comes out does not depend on the number of ranks.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray


class Ranks(Protocol):
    """The processes that hold the rows between them."""

    def allreduce(self, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        """The sum over all ranks."""
        ...

    def allgather(self, item: Any) -> list[Any]:
        """Every rank's item, in the order of ranks."""
        ...


class Alone:
    """A single process that holds all rows."""

    def allreduce(self, totals: NDArray[np.int64]) -> NDArray[np.int64]:
        """The totals themselves, not a copy."""
        return totals

    def allgather(self, item: Any) -> list[Any]:
        """The one item."""
        return [item]
