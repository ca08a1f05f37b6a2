"""The steps of the fixed-point sums of k-means: powers of two, fixed before the first row."""

from __future__ import annotations

import math
from dataclasses import dataclass

# Weighted sums stay within 2^62: scaled weights are below 2, which leaves 61 bits for n * max |v|.
_SUM_BITS = 61
# Whether a step is fine enough is a mean over rows, of which none counts more than 2^16 times.
_SHARE_BITS = 16
SHARE_CAP = float(1 << _SHARE_BITS)


@dataclass(frozen=True)
class Scale:
    """A value v is stored as the nearest integer to v * 2^e, ties to even.

    Attributes:
        values: The e of weighted values.
        weights: The e of weights.
        distances: The e of weighted distances: inertia and potentials.
        shares: The e of what rows count in `refusal`.
        shift: Weights are divided by 2^shift first, which brings the largest into [1, 2).
        unit: Squares of a row that count as 1: d times the square of 2^24 steps of a value.
    """

    values: int
    weights: int
    distances: int
    shares: int
    shift: int
    unit: float

    @staticmethod
    def of(n_total: int, absmax: float, weight_max: float, dim: int, cosine: bool) -> Scale:
        """The finest steps with which no sum over n_total rows can overflow."""
        bits = _SUM_BITS - _exponent(n_total)
        values = bits - _exponent(1.0 if cosine else absmax)
        return Scale(
            values=values,
            weights=bits - _exponent(1.0),
            distances=bits - _exponent(2.0 if cosine else dim * (2 * absmax) ** 2),
            shares=bits - _SHARE_BITS,
            shift=_exponent(weight_max) - 1,
            unit=math.ldexp(dim, 2 * (24 - values)),
        )

    def distance(self, total: int) -> float:
        """A stored sum of weighted distances, in the caller's weights."""
        return math.ldexp(math.ldexp(float(total), -self.distances), self.shift)

    def refusal(self, rows: int, shares: int, n_total: int) -> str | None:
        """Why the step of the values is too coarse for some rows; None if it is fine enough.

        Args:
            rows: Rows with weight that are not zero.
            shares: Stored sum of what each counts: its weighted squares / unit, at most SHARE_CAP.
            n_total: Rows in all.
        """
        sum_of_shares = math.ldexp(float(shares), -self.shares)
        if sum_of_shares >= rows:
            return None
        rms = math.ldexp(math.sqrt(sum_of_shares / rows), 24 - self.values)
        return (
            f"k-means: the fixed-point step {math.ldexp(1.0, -self.values):.3g} of the centroid "
            f"sums exceeds 2^-24 of the rms {rms:.3g} of the weighted values ({n_total} rows, "
            "weights scaled to below 2); a few values or weights dwarf all others: clip or rescale "
            "them, or cluster fewer rows at a time"
        )


def _exponent(value: float) -> int:
    """The smallest e with value < 2^e; 0 for 0."""
    return math.frexp(value)[1]
