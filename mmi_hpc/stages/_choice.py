"""The settings of matching and the one way to choose, shared by candidates, balance and match."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from mmi_hpc import matching
from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.vectors import Float32, Int64
from mmi_hpc.engine.context import Context
from mmi_hpc.matching import Float64


class MatchSettings(StageSettings):
    """How instructions are chosen. The published text only says that they are sampled by cosine.

    Attributes:
        candidates: Best instructions per image that are considered.
        mode: `argmax` takes the best; `topk_softmax` samples by cosine; `balanced` samples with
            potentials that spread the use of instructions.
        temperature: Divides cosines before the softmax.
        strength: Balancing from 0 (none) to 1 (equal use); only in mode `balanced`.
        per_image: Instructions per image.
        cap: Most images per instruction, the best by (cosine, id); None for no cap.
        exemplars: Images per instruction for which example answers are written.
    """

    section: ClassVar[str] = "match"
    candidates: int = Field(default=32, ge=1)
    mode: Literal["argmax", "topk_softmax", "balanced"] = "balanced"
    temperature: float = Field(default=0.02, gt=0)
    strength: float = Field(default=0.5, ge=0, le=1)
    per_image: int = Field(default=1, ge=1)
    cap: int | None = Field(default=None, ge=1)
    exemplars: int = Field(default=2, ge=0)


CHOICE = ("mode", "temperature", "strength", "per_image")


def choices(
    ids: list[str], scores: Float32, indices: Int64, potentials: Float64, context: Context
) -> tuple[Float64, Int64]:
    """Probabilities (n, k) and the chosen columns (n, per_image) of some images.

    `balance` and `match` both call this and see the same choices, because each depends on the
    run's seed, the image and the instruction alone.
    """
    settings = context.settings(MatchSettings)
    weights = matching.balanced_weights(
        scores, indices, potentials, temperature=settings.temperature
    )
    if settings.mode == "argmax":
        return weights, matching.best(indices, settings.per_image)
    return weights, matching.choose(weights, indices, ids, settings.per_image, context.seed)


def is_let_in(score: float, record_id: str, cutoff: tuple[float, str] | None) -> bool:
    """Whether a pair is within its instruction's cap: higher scores first, then lower ids."""
    return cutoff is None or (-score, record_id) <= (-cutoff[0], cutoff[1])
