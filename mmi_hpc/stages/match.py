"""match: choose instructions for every image, with the potentials and caps of `balance`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Balance, Failure, Match
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import MapStage, Uses
from mmi_hpc.stages._choice import CHOICE, MatchSettings, choices, is_let_in
from mmi_hpc.stages.balance import BalanceInstructions
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.candidates import Candidates


class MatchInstructions(MapStage[Match]):
    """The chosen pairs of one shard of images."""

    name = "match"
    version = 1
    settings = (Uses(MatchSettings, CHOICE),)
    seeded = True
    reads = ("candidates", "bank", "balance")
    output = JsonLines(Match)

    def map(self, shard: int, context: Context) -> Iterator[Match | Failure]:
        """Choose for the images of one shard."""
        balance = next(context.rows(BalanceInstructions, 0))
        bank = [entry.instruction for entry in context.rows(Bank, 0)]
        ids, scores, indices = Candidates.output.matrices(context.path(Candidates, shard))
        potentials = np.array(balance.potentials)
        weights, chosen = choices(ids, scores, indices, potentials, context)
        for row, record_id in enumerate(ids):
            for rank, column in enumerate(chosen[row]):
                position = int(indices[row, column])
                match = Match(
                    id=f"{record_id}/{bank[position].id}",
                    image_id=record_id,
                    instruction_id=bank[position].id,
                    position=position,
                    cosine=float(scores[row, column]),
                    # One step coarser than it was computed: see the rounding in mmi_hpc.matching.
                    weight=round(float(weights[row, column]), 9),
                    rank=rank,
                )
                yield _within_cap(match, balance)


def _within_cap(match: Match, balance: Balance) -> Match | Failure:
    if is_let_in(match.cosine, match.image_id, balance.cutoffs[match.position]):
        return match
    return Failure(match.id, "beyond the cap of its instruction (match.cap)", by_rule=True)
