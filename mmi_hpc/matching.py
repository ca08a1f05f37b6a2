"""Which instruction goes with which image: sampling, balancing and caps over top-k candidates.

Balancing is unbalanced entropic optimal transport (Chizat et al., Mathematics of Computation 87,
2018) restricted to each image's top-k candidates: every image keeps mass 1, and the mass of an
instruction is drawn towards its capacity with a strength between 0 (none: plain softmax) and 1
(full: Sinkhorn). Its solution is one number per instruction, the potential, which is added to
score / temperature before the softmax; so images can be matched one by one once it is known.

numpy's exp and log differ in the last bit between instruction sets (AVX-512 and older ones), so
everything that leaves this module is rounded: potentials and the keys of a draw to 1e-9, weights
to 1e-12. A value may in principle still fall on different sides of a rounding boundary on two
machines; the chance is the difference of the unrounded values divided by the step. Measured on
20,000 images with 32 candidates, where 14 % of the potentials and 6 % of the weights differed
before rounding: per potential 1e-8 on average and 7e-7 at worst; per weight 3e-7 on average, 1e-6
for an image's first candidate and 2e-4 at worst (a weight close to 1). So of a million weights
about one may still differ, by 1e-12. A choice differs only where two keys of one image are that
close besides: less than once in 1e14 images.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt
import xxhash

Float = npt.NDArray[np.floating]
Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Chunks = Iterable[tuple[Float, Int64]]

MAX_ITERATIONS = 500
TOLERANCE = 1e-6
_POTENTIAL_DECIMALS = 9
_WEIGHT_DECIMALS = 12
_KEY_DECIMALS = 9
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def potentials(
    chunks: Chunks,
    bank_size: int,
    *,
    temperature: float,
    strength: float,
    capacity: Float64 | None = None,
) -> Float64:
    """Potentials that draw the use of every instruction towards its capacity.

    Sums are taken in int64 fixed point, so the result does not depend on how rows are cut into
    chunks or in which order chunks come. One pass over all chunks is made per iteration; for a
    strength below 1 the error shrinks by that factor in each.

    Args:
        chunks: Pairs of scores (n, k) and bank rows (n, k) int64; iterated several times.
        bank_size: Number of instructions m.
        temperature: Divides the scores; greater than 0.
        strength: 0 (no balancing) to 1 (full balancing).
        capacity: Relative share (m,) of each instruction, by default equal shares of all that are
            a candidate of any image.

    Returns:
        Float64 (m,), rounded to 1e-9; 0 for instructions that are nobody's candidate. Rounded
        after every iteration, so that last bits of another machine neither add up nor decide when
        the iteration ends; see the module for what remains.

    Raises:
        ValueError: An argument is out of range, or `chunks` can be iterated only once.
    """
    _check_potential_arguments(chunks, bank_size, temperature, strength, capacity)
    rows, used = _count(chunks, bank_size)
    result = np.zeros(bank_size)
    if rows == 0 or strength == 0:
        return result
    target = _targets(rows, used, capacity)
    active = used & (target > 0)
    result[used & ~active] = -np.inf
    for _ in range(MAX_ITERATIONS):
        mass = _column_mass(chunks, result, rows, temperature)
        update = result.copy()
        # An instruction whose mass underflowed is as far below its target as can be told.
        seen = np.maximum(mass[active], _smallest_mass(rows))
        drawn = strength * (np.log(target[active]) - np.log(seen) + result[active])
        update[active] = _rounded(drawn, _POTENTIAL_DECIMALS)
        change = np.abs(update[active] - result[active]).max()
        result = update
        if change <= TOLERANCE:
            break
    return result


def balanced_weights(
    scores: Float, indices: Int64, potentials: Float64, *, temperature: float
) -> Float64:
    """Probabilities of each image's candidates, softmax(score / temperature + potential).

    Args:
        scores: (n, k).
        indices: Bank rows (n, k).
        potentials: (m,); zeros give the plain softmax over the top-k.
        temperature: Greater than 0.

    Returns:
        Float64 (n, k), rounded to 1e-12, because the last bits follow the CPU (see the module);
        each row sums to 1 within k * 0.5e-12.
    """
    # In one memory order, or the sums of rows would differ in their last bits.
    logits = np.divide(scores, temperature, order="C", dtype=np.float64) + potentials[indices]
    if logits.size == 0:
        return logits
    highest = logits.max(axis=1, keepdims=True)
    # All candidates of a row may have capacity 0; fall back to the scores alone.
    dead = ~np.isfinite(highest[:, 0])
    logits[dead] = np.asarray(scores, np.float64)[dead] / temperature
    highest[dead] = logits[dead].max(axis=1, keepdims=True)
    weights = np.exp(logits - highest)
    return _rounded(weights / weights.sum(axis=1, keepdims=True), _WEIGHT_DECIMALS)


def choose(weights: Float64, indices: Int64, ids: Sequence[str], count: int, seed: int) -> Int64:
    """Draw `count` different candidates per image without replacement (Gumbel top-k).

    A draw depends on the seed, the image's id and the instruction alone, not on the order of rows.
    Keys are compared rounded to 1e-9, because their last bits follow the CPU (see the module).

    Args:
        weights: Probabilities (n, k).
        indices: Bank rows (n, k).
        ids: The n record ids.
        count: How many per image; at most k are given.
        seed: The run's seed.

    Returns:
        Int64 (n, min(count, k)): columns of the chosen candidates, first choice first; of equal
        keys the earlier candidate's.
    """
    with np.errstate(divide="ignore"):
        keys = np.log(weights) + _gumbel(ids, indices, seed)
    # Among equal keys the earlier candidate wins: a stable sort of the negated keys.
    order = np.argsort(-_rounded(keys, _KEY_DECIMALS), axis=1, kind="stable")
    return np.asarray(order[:, :count], np.int64)


def best(indices: Int64, count: int) -> Int64:
    """Columns of the `count` best candidates: candidates are sorted already."""
    rows, columns = indices.shape
    return np.tile(np.arange(min(count, columns), dtype=np.int64), (rows, 1))


def _check_potential_arguments(
    chunks: Chunks, bank_size: int, temperature: float, strength: float, capacity: Float64 | None
) -> None:
    if iter(chunks) is chunks:
        raise ValueError("chunks must be iterable more than once: pass a list, or a class")
    if not temperature > 0:
        raise ValueError(f"temperature must be greater than 0, not {temperature}")
    if not 0 <= strength <= 1:
        raise ValueError(f"strength must lie between 0 and 1, not {strength}")
    if capacity is not None and (
        capacity.shape != (bank_size,) or not np.isfinite(capacity).all() or (capacity < 0).any()
    ):
        raise ValueError(f"capacity must hold {bank_size} finite numbers, none below 0")


def _count(chunks: Chunks, bank_size: int) -> tuple[int, npt.NDArray[np.bool_]]:
    rows, used = 0, np.zeros(bank_size, bool)
    for scores, indices in chunks:
        if scores.shape != indices.shape or not np.isfinite(scores).all():
            raise ValueError("scores must be finite and as many as indices")
        if indices.size and not 0 <= indices.min() <= indices.max() < bank_size:
            raise ValueError(f"indices must lie between 0 and {bank_size - 1}")
        rows += len(indices)
        used[indices.ravel()] = True
    return rows, used


def _targets(rows: int, used: npt.NDArray[np.bool_], capacity: Float64 | None) -> Float64:
    share = np.where(used, 1.0 if capacity is None else capacity, 0.0)
    total = share.sum()
    if total == 0:
        raise ValueError("capacity is 0 for every instruction that is a candidate of any image")
    return np.asarray(share / total * rows, np.float64)


def _mass_scale(rows: int) -> float:
    """Power of two by which weights are multiplied so that `rows` of them fit into int64."""
    return float(2 ** min(52, 62 - int(rows).bit_length()))


def _smallest_mass(rows: int) -> float:
    """Half of the smallest mass above 0 that rounded weights in fixed point can show."""
    return 0.5 * max(1 / _mass_scale(rows), 10.0**-_WEIGHT_DECIMALS)


def _rounded(values: Float64, decimals: int) -> Float64:
    """Round to a number of decimals; -0.0, which a last bit can make of 0.0, becomes 0.0."""
    return np.asarray(np.round(values, decimals) + 0.0, np.float64)


def _column_mass(chunks: Chunks, current: Float64, rows: int, temperature: float) -> Float64:
    scale = _mass_scale(rows)
    total = np.zeros(len(current), np.int64)
    for scores, indices in chunks:
        weights = balanced_weights(scores, indices, current, temperature=temperature)
        np.add.at(total, indices.ravel(), np.rint(weights * scale).astype(np.int64).ravel())
    return total / scale


def _gumbel(ids: Sequence[str], indices: Int64, seed: int) -> Float64:
    """Standard Gumbel noise (n, k) from a hash of seed, record id and instruction."""
    row_keys = [xxhash.xxh3_64_intdigest(i.encode(), seed=seed % 2**64) for i in ids]
    keys = np.array(row_keys, np.uint64).reshape(-1, 1)
    with np.errstate(over="ignore"):
        mixed = _mix(keys + (indices.astype(np.uint64) + np.uint64(1)) * _GOLDEN)
    uniform = ((mixed >> np.uint64(11)).astype(np.float64) + 0.5) / 2.0**53
    return np.asarray(-np.log(-np.log(uniform)), np.float64)


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """The finaliser of SplitMix64 (Steele, Lea, Flood, OOPSLA 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(x ^ (x >> np.uint64(31)), np.uint64)
