"""Seeded data for the measurements. Never zeros: they are faster than anything real.

The same seed gives the same rows on the same machine; another BLAS may turn last bits.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.bench.shapes import Shape
from mmi_hpc.errors import ConfigError

Rows = NDArray[np.float32]
Make = Callable[[np.random.Generator, int, int, str], Rows]

_BLOCK = 16_384
_COMMON_MEAN = 0.577  # beside unit variance: a mean cosine of 0.577^2 / (1 + 0.577^2) = 0.25
_CLUSTER = 50


def make(kind: str, shape: Shape, seed: int = 0) -> dict[str, Rows]:
    """The arrays of a problem.

    Args:
        kind: One of KINDS.
        shape: The problem.
        seed: Another seed gives other rows.

    Returns:
        topk: "queries" (n, d) and "bank" (m, d). kmeans: "x" (n, d) and "init" (k, d), rows of x
        at unit length. near_duplicates: "x" (n, d), where every 16th row is close to another one.

    Raises:
        ConfigError: The kind is not known, or makes no sense for the task.
    """
    if kind not in KINDS:
        raise ConfigError(f"--data {kind} is not known. Use {', '.join([*KINDS, 'text'])}.")
    if shape.task == "near_duplicates" and kind == "adversarial":
        raise ConfigError(
            "--data adversarial makes near_duplicates list nearly all pairs. Use clustered."
        )
    rows, random = KINDS[kind], np.random.default_rng(seed)
    if shape.task == "topk":
        return {
            "queries": rows(random, shape.n, shape.d, "queries"),
            "bank": rows(random, shape.m, shape.d, "bank"),
        }
    x = rows(random, shape.n, shape.d, "bank")
    return with_task(shape, x, random)


def with_task(shape: Shape, x: Rows, random: np.random.Generator) -> dict[str, Rows]:
    """What kmeans or near_duplicates need beside their rows."""
    if shape.task == "kmeans":
        seeds = np.sort(random.choice(len(x), shape.k, replace=False))
        return {"x": x, "init": unit(x[seeds])}
    copies = np.arange(7, len(x), 16)
    scale = np.linalg.norm(x[copies - 7], axis=1, keepdims=True) / np.sqrt(x.shape[1])
    noise = random.standard_normal((len(copies), x.shape[1]), np.float32)
    x[copies] = x[copies - 7] + 0.1 * scale * noise
    return {"x": x}


def unit(x: Rows) -> Rows:
    """The rows at length 1, in float32."""
    result = np.empty_like(x)
    for at in range(0, len(x), _BLOCK):
        block = x[at : at + _BLOCK]
        norms = np.sqrt(np.einsum("ij,ij->i", block, block, dtype=np.float64))
        result[at : at + _BLOCK] = block / np.maximum(norms, 1e-30)[:, None]
    return result


def isotropic(random: np.random.Generator, n: int, d: int, role: str) -> Rows:
    """Gaussian, no structure."""
    return random.standard_normal((n, d), np.float32)


def embedding(random: np.random.Generator, n: int, d: int, role: str) -> Rows:
    """As image and text encoders give: falling spectrum, a common mean, a gap between both sides.

    Standard deviation i^-0.5 along the i-th of d directions, which are the same for both roles, and
    means that differ a little; cosines between the sides are about 0.25 in the mean.
    """
    fixed = np.random.default_rng(d)
    directions = np.linalg.qr(fixed.standard_normal((d, d)))[0].astype(np.float32)
    spectrum = np.arange(1, d + 1, dtype=np.float64) ** -0.5
    spectrum /= np.sqrt(np.sum(spectrum**2))
    mean, gap = fixed.standard_normal((2, d))
    mean *= _COMMON_MEAN / np.linalg.norm(mean)
    gap *= 0.15 / np.linalg.norm(gap)
    centre = (mean + gap if role == "queries" else mean - gap).astype(np.float32)
    spread = spectrum.astype(np.float32)[:, None] * directions
    result = np.empty((n, d), np.float32)
    for at in range(0, n, _BLOCK):
        block = result[at : at + _BLOCK]
        np.matmul(random.standard_normal(block.shape, np.float32), spread, out=block)
        block += centre
    return result


def clustered(random: np.random.Generator, n: int, d: int, role: str) -> Rows:
    """Clusters of about 50 rows that differ by little, some of them by next to nothing.

    Both roles draw from the same clusters.
    """
    centres = embedding(np.random.default_rng(d + 1), max(2, n // _CLUSTER), d, "bank")
    if role == "queries":
        centres = centres[: max(2, len(centres) // 2)]
    result = centres[random.integers(0, len(centres), n)]
    size = random.choice(np.array([1e-4, 1e-2, 0.1, 0.3], np.float32), (n, 1)) / np.sqrt(d)
    for at in range(0, n, _BLOCK):
        block = result[at : at + _BLOCK]
        block += size[at : at + _BLOCK] * random.standard_normal(block.shape, np.float32)
    return result


def adversarial(random: np.random.Generator, n: int, d: int, role: str) -> Rows:
    """The worst order: every bank row beats those before it, and each stands there four times.

    Queries lie close to one direction, and the bank is sorted ascending along it, so whoever keeps
    the best so far replaces it all the time; equal rows test the order among equal scores.
    """
    direction = unit(np.random.default_rng(d + 2).standard_normal((1, d)).astype(np.float32))
    noise = random.standard_normal((n, d), np.float32) / np.float32(np.sqrt(d))
    if role == "queries":
        near: Rows = direction + np.float32(0.05) * noise
        return near
    rising = np.linspace(0, 1, n, dtype=np.float32)[:, None]
    result = direction * rising + np.float32(0.5) * noise * (1 - rising)
    order = np.argsort(unit(result) @ direction[0], kind="stable")
    sorted_rows: Rows = result[order[np.arange(n) // 4 * 4]]
    return sorted_rows


KINDS: dict[str, Make] = {
    "embedding": embedding,
    "isotropic": isotropic,
    "clustered": clustered,
    "adversarial": adversarial,
}


def save(folder: Any, arrays: dict[str, Rows]) -> None:
    """Leave the arrays where worker processes find them."""
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array)
