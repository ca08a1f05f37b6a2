"""Exact and reproducible nearest-neighbour kernels: top-k, k-means, near duplicates.

Every result is defined to the bit and does not depend on the number of threads; docs/kernels.md
holds the definitions.
"""

from __future__ import annotations

try:
    from mmi_hpc.kernels import _core as _core
except ImportError as error:
    raise ImportError(
        f"the compiled kernels could not be loaded ({error}); build them with `pip install -e .` "
        "in the source folder, under the Python you run"
    ) from error

from mmi_hpc.kernels.build_info import info
from mmi_hpc.kernels.clustering import KMeansResult, kmeans
from mmi_hpc.kernels.duplicates import Pairs, near_duplicates
from mmi_hpc.kernels.kmeans_state import KMeansState
from mmi_hpc.kernels.search import TopK, cosine_topk

__all__ = [
    "KMeansResult",
    "KMeansState",
    "Pairs",
    "TopK",
    "cosine_topk",
    "info",
    "kmeans",
    "near_duplicates",
]
