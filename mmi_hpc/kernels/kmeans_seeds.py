"""Seeds for k-means: k-means++ and k-means||, the same for any split of the rows.

Draws are made with 64 random bits that are a function of (seed, stream, number, global row), and
against integer potentials, so that threads, blocks and ranks agree on every one of them.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from itertools import count

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.kmeans_blocks import RowBlock
from mmi_hpc.kernels.kmeans_ranks import Alone, Ranks
from mmi_hpc.kernels.kmeans_state import KMeansState

# k-means|| takes about _OVERSAMPLING * k candidates in each of _ROUNDS rounds; docs/kernels.md says
# what was measured.
_OVERSAMPLING = 1
_ROUNDS = 3

# Streams of random numbers: draws of one stream are independent of all others.
_ROW_DRAWS, _ROUND_DRAWS, _CANDIDATE_DRAWS = range(3)


class Seeding:
    """The rows of all ranks, and how much each would gain from a seed of its own.

    The potential of a row is its stored weight, and, once there are candidates, its stored weighted
    distance to the nearest of them; its owner is the first candidate that is so near.
    """

    def __init__(self, state: KMeansState, blocks: Sequence[RowBlock], ranks: Ranks) -> None:
        self.state, self.blocks, self.ranks = state, blocks, ranks
        self.potentials = [_stored_weights(state, block) for block in blocks]
        self.owners = [np.zeros(block.count, np.int64) for block in blocks]
        group = _core.POTENTIAL_GROUP
        self.groups = [np.add.reduceat(p, np.arange(0, len(p), group)) for p in self.potentials]
        self.candidates = 0
        self._firsts = [block.first for block in blocks]

    def draw(self, bits: int) -> int | None:
        """The first row whose cumulative potential exceeds bits * total / 2^64; None without one.

        Args:
            bits: 64 uniform bits.
        """
        shares = [(b.first, int(g.sum())) for b, g in zip(self.blocks, self.groups, strict=True)]
        everywhere = [share for rank in self.ranks.allgather(shares) for share in rank]
        rest = bits * sum(share for _, share in everywhere) >> 64
        for first, share in everywhere:
            if rest < share:
                found = self.ranks.allgather(self._find(first, rest))
                return next(int(row) for row in found if row is not None)
            rest -= share
        return None

    def take(self, seed: int, round_number: int) -> list[int]:
        """The rows that one round of k-means|| takes, ascending; none without potential."""
        total = sum(self.ranks.allgather(sum(int(group.sum()) for group in self.groups)))
        if total == 0:
            return []
        draw = _ROUND_DRAWS << 32 | round_number
        wanted = _OVERSAMPLING * self.state.k
        mine = [
            _core.kmeans_drawn_rows(
                potentials, block.first, seed, draw, total, wanted, self.state.threads
            )
            for block, potentials in zip(self.blocks, self.potentials, strict=True)
        ]
        rows = [part for rank in self.ranks.allgather(mine) for part in rank]
        return [int(row) for row in np.concatenate(rows)]

    def add(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Make rows candidates; return them as centroids, (m, d)."""
        candidates = self.centroids(rows)
        for block, potentials, owners, groups in zip(
            self.blocks, self.potentials, self.owners, self.groups, strict=True
        ):
            if self.candidates == 0:
                potentials[potentials > 0] = np.iinfo(np.int64).max
            x = block.float32()
            several = len(candidates) > 1
            labels = self.state.assign(block, x, candidates) if several else None
            _core.kmeans_lower_potentials(
                x,
                block.norms,
                block.weights,
                self.state.cosine,
                candidates,
                labels,
                self.state.scale.distances,
                self.candidates,
                potentials,
                owners,
                groups,
                self.state.threads,
            )
        self.candidates += len(rows)
        return candidates

    def centroids(self, rows: Sequence[int]) -> NDArray[np.float32]:
        """Rows as centroids: as they are, or as unit rows under the cosine metric."""
        mine = {row: block.row(row) for row in rows if (block := self._block_of(row))}
        found = {row: x for rank in self.ranks.allgather(mine) for row, x in rank.items()}
        centroids = np.concatenate([found[row] for row in rows])
        if self.state.cosine:
            _core.make_unit_rows(centroids)
        return centroids

    def owned_weights(self) -> NDArray[np.int64]:
        """The stored weight of the rows that each candidate owns."""
        owned = np.zeros(self.candidates, np.int64)
        for block, owners in zip(self.blocks, self.owners, strict=True):
            np.add.at(owned, owners, _stored_weights(self.state, block))
        return self.ranks.allreduce(owned)

    def _block_of(self, row: int) -> RowBlock | None:
        """The block that holds a row, if it is here."""
        at = bisect_right(self._firsts, row) - 1
        here = at >= 0 and row < self._firsts[at] + self.blocks[at].count
        return self.blocks[at] if here else None

    def _find(self, first: int, rest: int) -> int | None:
        """The row, if the block that begins at `first` is here."""
        for block, groups, potentials in zip(
            self.blocks, self.groups, self.potentials, strict=True
        ):
            if block.first != first:
                continue
            ends = np.cumsum(groups)
            group = int(np.searchsorted(ends, rest, side="right"))
            rest -= int(ends[group] - groups[group])
            begin = group * _core.POTENTIAL_GROUP
            within = np.cumsum(potentials[begin : begin + _core.POTENTIAL_GROUP])
            return first + begin + int(np.searchsorted(within, rest, side="right"))
        return None


def plus_plus(
    state: KMeansState, blocks: Sequence[RowBlock], seed: int, ranks: Ranks
) -> NDArray[np.float32]:
    """Seeds of k-means++, (k, d)."""
    return _completed(Seeding(state, blocks, ranks), [], [], seed)


def scalable(
    state: KMeansState, blocks: Sequence[RowBlock], seed: int, ranks: Ranks
) -> NDArray[np.float32]:
    """Seeds of k-means||, (k, d); Bahmani et al., "Scalable k-means++" (VLDB 2012)."""
    seeding = Seeding(state, blocks, ranks)
    first = seeding.draw(_bits(seed, _ROW_DRAWS, 0))
    if first is None:
        return _completed(seeding, [], [], seed)
    rows = [first]
    parts = [seeding.add(rows)]
    for round_number in range(_ROUNDS):
        taken = seeding.take(seed, round_number)
        if taken:
            rows += taken
            parts.append(seeding.add(taken))
    candidates = np.concatenate(parts)
    chosen = _reduced(state, candidates, seeding.owned_weights(), seed)
    return _completed(
        seeding, [rows[c] for c in chosen], [candidates[c : c + 1] for c in chosen], seed
    )


def _reduced(
    state: KMeansState, candidates: NDArray[np.float32], owned: NDArray[np.int64], seed: int
) -> list[int]:
    """Up to k different candidates, by k-means++ with the weights that they own."""
    weights = owned.astype(np.float64)
    few = KMeansState(
        len(candidates),
        float(np.abs(candidates).max()),
        float(weights.max()),
        k=state.k,
        dim=state.dim,
        metric=state.metric,
        threads=state.threads,
    )
    seeding = Seeding(few, few.blocks(candidates, weights=weights), Alone())
    chosen: list[int] = []
    for number in range(state.k):
        row = seeding.draw(_bits(seed, _CANDIDATE_DRAWS, number))
        if row is None:
            break
        chosen.append(row)
        if number + 1 < state.k:
            seeding.add([row])
    return chosen


def _completed(
    seeding: Seeding, rows: list[int], seeds: list[NDArray[np.float32]], seed: int
) -> NDArray[np.float32]:
    """The seeds, up to k of them by draws of k-means++, and then by the lowest rows not taken."""
    taken = set(rows)
    untaken = (row for row in count() if row not in taken)  # k <= n, so there is one
    for number in range(len(rows), seeding.state.k):
        drawn = seeding.draw(_bits(seed, _ROW_DRAWS, number))
        row = next(untaken) if drawn is None else drawn
        taken.add(row)
        is_last = number + 1 == seeding.state.k
        useless = drawn is None or is_last  # nobody will look at the potentials
        seeds.append(seeding.centroids([row]) if useless else seeding.add([row]))
    return np.concatenate(seeds)


def _stored_weights(state: KMeansState, block: RowBlock) -> NDArray[np.int64]:
    """The weights in fixed point; 0 for a zero row under cosine, which is never a seed."""
    weights = np.ones(block.count) if block.weights is None else block.weights
    stored = np.rint(np.ldexp(weights, state.scale.weights)).astype(np.int64)
    if state.cosine:
        stored[block.norms == 0] = 0
    return stored


def _bits(seed: int, stream: int, number: int) -> int:
    return _core.random_bits(seed, stream << 32 | number, 0)
