"""balance: what matching has to know of the whole collection: potentials, caps and exemplars."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

from mmi_hpc import matching
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Balance, Exemplar, Failure
from mmi_hpc.data.vectors import Float32, Int64
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import ReduceStage, Uses
from mmi_hpc.matching import Float64
from mmi_hpc.stages._choice import CHOICE, MatchSettings, choices, is_let_in
from mmi_hpc.stages.candidates import Candidates
from mmi_hpc.stages.describe import Describe

# One chosen pair, ordered as caps and exemplars are: best score first, then lowest id.
_Pair = tuple[float, str, int]


class BalanceInstructions(ReduceStage[Balance]):
    """One row that `match` and `exemplify` read."""

    name = "balance"
    version = 1
    settings = (Uses(MatchSettings, (*CHOICE, "cap", "exemplars")),)
    seeded = True
    reads = ("candidates", "bank", "describe")
    output = JsonLines(Balance)

    def reduce(self, shards: range, context: Context) -> Iterator[Balance | Failure]:
        """Stream over the candidates once per balancing step, and once more for the caps."""
        settings = context.settings(MatchSettings)
        bank_size = context.count("bank")
        potentials = np.zeros(bank_size)
        if settings.mode == "balanced":
            potentials = matching.potentials(
                _Chunks(shards, context),
                bank_size,
                temperature=settings.temperature,
                strength=settings.strength,
            )
        best = _best_pairs(shards, potentials, context)
        cutoffs = [_cutoff(best[position], settings.cap) for position in range(bank_size)]
        chosen = [
            [
                (shard, record_id)
                for score, record_id, shard in best[position][: settings.exemplars]
                if is_let_in(-score, record_id, cutoffs[position])
            ]
            for position in range(bank_size)
        ]
        exemplars = _described(chosen, context)
        yield Balance(tuple(potentials.tolist()), tuple(cutoffs), exemplars)


class _Chunks:
    """Scores and indices of all shards, read anew at every pass."""

    def __init__(self, shards: range, context: Context) -> None:
        self._shards, self._context = shards, context

    def __iter__(self) -> Iterator[tuple[Float32, Int64]]:
        for shard in self._shards:
            self._context.check_stop()
            path = self._context.path(Candidates, shard)
            _, scores, indices = Candidates.output.matrices(path)
            if len(scores):
                yield scores, indices


def _best_pairs(
    shards: range, potentials: Float64, context: Context
) -> defaultdict[int, list[_Pair]]:
    """Per instruction its best chosen pairs (-score, id, shard), one more than its cap."""
    settings = context.settings(MatchSettings)
    limit = max((settings.cap or 0) + 1, settings.exemplars)
    best: defaultdict[int, list[_Pair]] = defaultdict(list)
    for shard in shards:
        ids, scores, indices = Candidates.output.matrices(context.path(Candidates, shard))
        if not ids:
            continue
        _, chosen = choices(ids, scores, indices, potentials, context)
        for row, record_id in enumerate(ids):
            for column in chosen[row]:
                pairs = best[int(indices[row, column])]
                pairs.append((-float(scores[row, column]), record_id, shard))
                if len(pairs) > 2 * limit:
                    pairs.sort()
                    del pairs[limit:]
    for pairs in best.values():
        pairs.sort()
        del pairs[limit:]
    return best


def _described(
    places: list[list[tuple[int, str]]], context: Context
) -> tuple[tuple[Exemplar, ...], ...]:
    """Look up the descriptions of (shard, record id) places, reading each shard once.

    Shard numbers stop here: they depend on how the run is cut, and results must not.
    """
    wanted: defaultdict[int, set[str]] = defaultdict(set)
    for shard, record_id in (place for row in places for place in row):
        wanted[shard].add(record_id)
    texts = {
        row.id: row.text
        for shard, ids in sorted(wanted.items())
        for row in context.rows(Describe, shard)
        if row.id in ids
    }
    return tuple(
        tuple(Exemplar(record_id, texts[record_id]) for _, record_id in row if record_id in texts)
        for row in places
    )


def _cutoff(pairs: list[_Pair], cap: int | None) -> tuple[float, str] | None:
    """The last pair within the cap, or None when all are."""
    if cap is None or len(pairs) <= cap:
        return None
    score, record_id, _ = pairs[cap - 1]
    return -score, record_id
