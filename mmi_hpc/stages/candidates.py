"""candidates: the best instructions of every image by exact cosine."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmi_hpc import kernels
from mmi_hpc.data.records import Failure
from mmi_hpc.data.vectors import CandidateFormat
from mmi_hpc.data.vectors import Candidates as Row
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.stages._choice import MatchSettings
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.describe import Describe
from mmi_hpc.stages.embed import Embed


class Candidates(MapStage[Row]):
    """Top-k of the bank for each image of one shard."""

    name = "candidates"
    version = 1
    settings = (Uses(MatchSettings, ("candidates",)),)
    reads = ("embed", "bank", "describe")
    output = CandidateFormat()

    def map(self, shard: int, context: Context) -> Iterator[Row | Failure]:
        """Search the bank."""
        ids, vectors = Embed.output.matrix(context.path(Embed, shard))
        # Pixels are embedded without a description, but nothing can be answered without one.
        described = {row.id for row in context.rows(Describe, shard)}
        kept = [row for row, record_id in enumerate(ids) if record_id in described]
        for record_id in ids:
            if record_id not in described:
                yield Failure(record_id, "it has no description to answer from", by_rule=True)
        ids, vectors = [ids[row] for row in kept], vectors[kept]
        entries = list(context.rows(Bank, 0))
        if not ids:
            return
        bank = np.stack([entry.values for entry in entries])
        k = min(context.settings(MatchSettings).candidates, len(bank))
        found = kernels.cosine_topk(vectors, bank, k)
        for record_id, scores, indices in zip(ids, found.scores, found.indices, strict=True):
            yield Row(record_id, scores, indices)
