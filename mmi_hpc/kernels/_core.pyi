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

class PackedRows:
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
def random_bits(seed: int, draw: int, row: int) -> int: ...
def absolute_maximum(x: NDArray[float32], threads: int) -> float: ...
def make_unit_rows(x: NDArray[float32]) -> None: ...
def pack_rows(
    x: NDArray[float32], squared_norms: NDArray[float64], cosine: bool, threads: int
) -> PackedRows: ...
def kmeans_assign(
    rows: PackedRows, centroids: NDArray[float32], labels: NDArray[int64], threads: int
) -> None: ...
def kmeans_accumulate(
    x: NDArray[float32],
    squared_norms: NDArray[float64],
    weights: NDArray[float64] | None,
    cosine: bool,
    labels: NDArray[int64],
    previous: NDArray[int64] | None,
    sum_exponent: int,
    weight_exponent: int,
    sums: NDArray[int64],
    weight_sums: NDArray[int64],
    counts: NDArray[int64],
    threads: int,
) -> int: ...
def kmeans_resolution(
    squared_norms: NDArray[float64],
    weights: NDArray[float64] | None,
    cosine: bool,
    unit: float,
    cap: float,
    exponent: int,
    threads: int,
) -> tuple[int, int]: ...
def kmeans_centroids(
    sums: NDArray[int64],
    weight_sums: NDArray[int64],
    counts: NDArray[int64],
    cosine: bool,
    sum_exponent: int,
    weight_exponent: int,
    previous: NDArray[float32],
    out: NDArray[float32],
    threads: int,
) -> float: ...
def kmeans_distances(
    x: NDArray[float32],
    squared_norms: NDArray[float64],
    cosine: bool,
    centroids: NDArray[float32],
    labels: NDArray[int64],
    out: NDArray[float64],
    threads: int,
) -> None: ...
def kmeans_inertia(
    x: NDArray[float32],
    squared_norms: NDArray[float64],
    weights: NDArray[float64] | None,
    cosine: bool,
    centroids: NDArray[float32],
    labels: NDArray[int64],
    exponent: int,
    threads: int,
) -> int: ...
def kmeans_lower_potentials(
    x: NDArray[float32],
    squared_norms: NDArray[float64],
    weights: NDArray[float64] | None,
    cosine: bool,
    candidates: NDArray[float32],
    labels: NDArray[int64] | None,
    exponent: int,
    first_candidate: int,
    potentials: NDArray[int64],
    owners: NDArray[int64],
    groups: NDArray[int64],
    threads: int,
) -> None: ...
def kmeans_drawn_rows(
    potentials: NDArray[int64],
    first_row: int,
    seed: int,
    draw: int,
    total: int,
    oversampling: int,
    threads: int,
) -> NDArray[int64]: ...

POTENTIAL_GROUP: int

def build_info() -> dict[str, str | list[str]]: ...
def peak_gflops(kind: str, threads: int, seconds: float) -> float: ...
