"""Exact and reproducible nearest-neighbour kernels: top-k, k-means, near duplicates.

Every result is defined to the bit and depends neither on the number of threads nor on the
instruction set; docs/kernels.md holds the definitions.
"""

from __future__ import annotations

try:
    from mmi_hpc.kernels import _core as _core
except ImportError as error:
    raise ImportError(
        f"the compiled kernels could not be loaded ({error}); build them with `pip install -e .` "
        "in the source folder, under the Python you run"
    ) from error

from mmi_hpc.kernels.bank import Bank
from mmi_hpc.kernels.build_info import info
from mmi_hpc.kernels.clustering import KMeansResult, kmeans
from mmi_hpc.kernels.duplicates import Pairs, near_duplicates
from mmi_hpc.kernels.kmeans_state import KMeansState
from mmi_hpc.kernels.search import SearchStats, TopK, cosine_topk

__all__ = [
    "Bank",
    "KMeansResult",
    "KMeansState",
    "Pairs",
    "SearchStats",
    "TopK",
    "cosine_topk",
    "info",
    "kmeans",
    "near_duplicates",
]
