from typing import TypedDict

from numpy import float32, float64, int64
from numpy.typing import NDArray

class SearchDone(TypedDict):
    bad_row: int
    survivors: int
    rescored: int
    overflow_rows: int
    seconds: dict[str, float]

class PackedBank:
    @property
    def nbytes(self) -> int: ...

def squared_norms(x: NDArray[float32], out: NDArray[float64], threads: int) -> int: ...
def exact_topk(
    queries: NDArray[float32],
    query_norms: NDArray[float64],
    bank: NDArray[float32],
    bank_norms: NDArray[float64],
    k: int,
    normalize: bool,
    scores: NDArray[float32],
    indices: NDArray[int64],
    threads: int,
) -> None: ...
def pack_bank(
    rows: NDArray[float32], squared_norms: NDArray[float64], normalize: bool, threads: int
) -> PackedBank: ...
def filtered_topk(
    queries: NDArray[float32],
    bank: PackedBank,
    k: int,
    rescore: bool,
    scores: NDArray[float32],
    indices: NDArray[int64],
    threads: int,
) -> SearchDone: ...
def near_duplicates(
    window: NDArray[float32],
    window_norms: NDArray[float64],
    first: int,
    bank: PackedBank,
    bank_first: int,
    self_join: bool,
    threshold: float,
    most_pairs: int,
    threads: int,
) -> tuple[NDArray[int64], NDArray[int64], NDArray[float32]] | None: ...
def kmeans(
    x: NDArray[float32],
    squared_norms: NDArray[float64],
    weights: NDArray[float64] | None,
    init: NDArray[float32] | None,
    k: int,
    cosine: bool,
    max_iter: int,
    tol: float,
    seed: int,
    threads: int,
) -> tuple[NDArray[float32], NDArray[int64], float, NDArray[int64], int, bool]: ...
def build_info() -> dict[str, str | list[str]]: ...
def peak_gflops(kind: str, threads: int, seconds: float) -> float: ...
