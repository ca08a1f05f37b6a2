"""Choices that are the same on every machine: variants drawn by a hash of what is written about.

Python's `hash` changes from process to process and its `random` has changed between versions,
so the draw is xxh64, a published and stable function, of the text parts, with the run's seed.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import xxhash

T = TypeVar("T")
_SEED_MASK = (1 << 64) - 1


def draw(seed: int, *parts: str) -> int:
    """Return a stable 64-bit number for a seed and some text.

    Args:
        seed: Any integer; its low 64 bits count.
        *parts: The text the number depends on. The unit separator keeps ("ab", "c") and
            ("a", "bc") apart.

    Returns:
        An integer in [0, 2**64).
    """
    data = "\x1f".join(parts).encode("utf-8", "surrogatepass")
    return xxhash.xxh64_intdigest(data, seed=seed & _SEED_MASK)


def pick(options: Sequence[T], seed: int, *parts: str) -> T:
    """Choose one of the options (at least one) by `draw`."""
    return options[draw(seed, *parts) % len(options)]


def shuffled(items: Sequence[str], seed: int, *parts: str) -> list[str]:
    """Return the items in an order that depends on their text, the seed and the parts alone."""
    return sorted(items, key=lambda item: (draw(seed, item, *parts), item))
