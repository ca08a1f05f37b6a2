"""What is measured: the sizes of a problem, the work it stands for, and the usual tables."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from mmi_hpc.errors import ConfigError

TASKS = ("topk", "kmeans", "near_duplicates")
THRESHOLD = 0.95


@dataclass(frozen=True)
class Shape:
    """One problem.

    Attributes:
        task: One of TASKS.
        n: Rows that are looked up, clustered or paired.
        m: Rows of the bank (topk); 0 otherwise.
        d: Length of a row.
        k: Length of a list (topk) or number of clusters (kmeans); 0 otherwise.
        iterations: Centroid updates (kmeans).
        most_rounds: Rounds are cut to this, for problems of many minutes.
        alone: Only our own kernels are run.
    """

    task: str
    n: int
    m: int
    d: int
    k: int
    iterations: int = 0
    most_rounds: int | None = None
    alone: bool = False

    @property
    def name(self) -> str:
        """As tables and --only call it."""
        if self.task == "topk":
            return f"{self.n}x{self.m} d={self.d} k={self.k}"
        if self.task == "kmeans":
            return f"{self.n}x{self.d} K={self.k}"
        return f"{self.n}x{self.d} t={THRESHOLD}"

    @property
    def takes_minutes(self) -> bool:
        """One run has to do: no warm-up, and no second one for its memory."""
        return self.most_rounds == 1

    @property
    def flops(self) -> float:
        """Multiplications and additions that the answer needs; for kmeans those of one iteration.

        A self-join needs each pair once, so near_duplicates counts half of the square.
        """
        if self.task == "near_duplicates":
            return float(self.n) * self.n * self.d
        return 2.0 * self.n * (self.m or self.k) * self.d

    @property
    def bytes(self) -> float:
        """Bytes that must move: float32 rows in, float32 scores and int64 indices out."""
        if self.task == "topk":
            return 4.0 * (self.n + self.m) * self.d + 12.0 * self.n * self.k
        if self.task == "kmeans":
            return 4.0 * (self.n + 2 * self.k) * self.d + 8.0 * self.n
        return 4.0 * self.n * self.d

    def but(self, **changes: Any) -> Shape:
        """The same problem with some sizes changed."""
        return replace(self, **changes)


def _topk(n: int, m: int, d: int, k: int) -> Shape:
    return Shape("topk", n, m, d, k)


def _kmeans(n: int, d: int, k: int, iterations: int, most_rounds: int | None = None) -> Shape:
    return Shape("kmeans", n, 0, d, k, iterations, most_rounds)


def _pairs(n: int, d: int, most_rounds: int | None = None, alone: bool = False) -> Shape:
    return Shape("near_duplicates", n, 0, d, 0, 0, most_rounds, alone)


_TABLES: dict[str, dict[str, list[Shape]]] = {
    "topk": {
        "tiny": [_topk(200, 300, 64, 5), _topk(100, 40, 32, 3)],
        "paper": [
            _topk(20_000, 300, 768, 10),
            _topk(20_000, 1000, 768, 10),
            _topk(20_000, 5000, 768, 10),
            _topk(20_000, 5000, 512, 10),
            _topk(20_000, 5000, 1024, 10),
            _topk(20_000, 20_000, 768, 10),
            _topk(4000, 100_000, 768, 10),
            _topk(20_000, 5000, 768, 100),
            _topk(4000, 100_000, 768, 100),
        ],
        "full": [
            _topk(20_000, 1000, 768, 1),
            _topk(20_000, 5000, 768, 1),
            _topk(20_000, 5000, 384, 10),
            _topk(20_000, 1000, 768, 100),
            _topk(20_000, 5000, 768, 32),
            _topk(200_000, 5000, 768, 10),
            _topk(16, 100_000, 768, 10),
            _topk(1, 100_000, 768, 10),
        ],
    },
    "kmeans": {
        "tiny": [_kmeans(600, 32, 7, 3)],
        "paper": [
            _kmeans(50_000, 768, 300, 10),
            _kmeans(50_000, 768, 1000, 10),
            _kmeans(50_000, 768, 4096, 5),
            _kmeans(500_000, 768, 1000, 3, most_rounds=3),
        ],
        "full": [_kmeans(50_000, 384, 1000, 10), _kmeans(50_000, 1024, 1000, 10)],
    },
    "near_duplicates": {
        "tiny": [_pairs(500, 32)],
        "paper": [_pairs(200_000, 768), _pairs(1_000_000, 768, most_rounds=1, alone=True)],
        "full": [_pairs(50_000, 768), _pairs(50_000, 384)],
    },
}


def shapes(task: str, table: str, only: str = "") -> list[Shape]:
    """The problems of a table, "full" being "paper" and more; `only` keeps names that hold it.

    Raises:
        ConfigError: The table is not known, or nothing is left.
    """
    if table not in ("tiny", "paper", "full"):
        raise ConfigError(f"--shapes {table} is not known. Use paper, full or tiny.")
    tables = _TABLES[task]
    chosen = tables["paper"] + tables["full"] if table == "full" else tables[table]
    kept = [shape for shape in chosen if only in shape.name]
    if not kept:
        names = "; ".join(shape.name for shape in chosen)
        raise ConfigError(f"--only {only!r} is in no shape. The shapes are: {names}.")
    return kept
