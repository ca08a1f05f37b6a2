"""cluster: embed all raw instructions, k-means, and keep each cluster's medoid and some members."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from pydantic import Field

from mmi_hpc import kernels
from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Cluster, Failure
from mmi_hpc.embed.encoder import load
from mmi_hpc.embed.settings import EncoderSettings
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import ReduceStage, Uses
from mmi_hpc.stages._chat import record_seed
from mmi_hpc.stages.propose import Propose


class ClusterSettings(StageSettings):
    """How raw instructions are grouped.

    Attributes:
        k: Number of clusters; 300 is read off the method's published figure. Fewer are made when
            there are fewer different instructions.
        iterations: Longest run of k-means.
        members: Texts kept of each cluster: the medoid, the nearest half, the rest at random.
        encoder: The sentence encoder.
    """

    section: ClassVar[str] = "cluster"
    k: int = Field(default=300, ge=1)
    iterations: int = Field(default=25, ge=1)
    members: int = Field(default=10, ge=1)
    encoder: EncoderSettings = EncoderSettings()


class ClusterInstructions(ReduceStage[Cluster]):
    """The groups of raw instructions, by number of their centroid."""

    name = "cluster"
    version = 1
    settings = (Uses(ClusterSettings),)
    seeded = True
    reads = ("propose",)
    output = JsonLines(Cluster)

    def identity(self, context: Context) -> dict[str, Any]:
        """The weights."""
        return {"encoder": context.settings(ClusterSettings).encoder.identity()}

    def check(self, context: Context) -> None:
        """The encoder."""
        context.settings(ClusterSettings).encoder.check("cluster.encoder")

    def reduce(self, shards: range, context: Context) -> Iterator[Cluster | Failure]:
        """Embed each different text once, weighted by how often it was proposed."""
        settings = context.settings(ClusterSettings)
        counts = Counter(row.text for shard in shards for row in context.rows(Propose, shard))
        texts = sorted(counts)
        if not texts:
            return
        encoder = load(settings.encoder)
        for key, value in encoder.environment.items():
            context.note(key, value)
        vectors = encoder.embed_texts(texts)
        weights = np.array([counts[text] for text in texts], np.float64)
        result = kernels.kmeans(
            vectors,
            min(settings.k, len(texts)),
            max_iter=settings.iterations,
            seed=context.seed,
            weights=weights,
        )
        for number, centroid in enumerate(result.centroids):
            rows = np.flatnonzero(result.labels == number)
            order = _nearest_first(vectors, rows, centroid)
            name = f"cluster-{number:05d}"
            sample = _sample(order, settings.members, record_seed(context.seed, "cluster", name))
            members = tuple(texts[row] for row in sample)
            yield Cluster(name, int(weights[rows].sum()), members)


def _nearest_first(
    vectors: npt.NDArray[np.float32], rows: npt.NDArray[np.intp], centroid: npt.NDArray[np.float32]
) -> list[int]:
    """The cluster's rows by exact cosine to the centroid; the first is the medoid."""
    found = kernels.cosine_topk(centroid[None], vectors[rows], len(rows))
    return [int(row) for row in rows[found.indices[0]]]


def _sample(order: list[int], count: int, seed: int) -> list[int]:
    near = order[: 1 + count // 2]
    rest = order[len(near) :]
    drawn = random.Random(seed).sample(rest, min(len(rest), max(0, count - len(near))))
    return [*near, *sorted(drawn)][:count]
