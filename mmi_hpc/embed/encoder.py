"""What an encoder does, and which one the settings name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from mmi_hpc.embed.settings import EncoderSettings
from mmi_hpc.errors import ConfigError, MmiError

if TYPE_CHECKING:
    from PIL import Image

Float32 = npt.NDArray[np.float32]
_ADVICE = {
    "sentence": "Set encoder.model to a folder, or to a hub name in this machine's cache.",
    "open_clip": "Set encoder.model to a folder with open_clip_config.json and weights, to a "
    "cached hf-hub:owner/name, or to an architecture of open_clip with encoder.pretrained naming "
    "cached weights or a checkpoint file.",
}
_LONGEST_REASON = 400


class Encoder(Protocol):
    """Maps texts, and for some models images, to vectors.

    Attributes:
        environment: Device and number format, for the markers.
    """

    environment: dict[str, str]

    def embed_texts(self, texts: Sequence[str]) -> Float32:
        """Embed texts; float32 (n, d), not normalised."""

    def embed_images(self, images: Iterable[Image.Image]) -> Float32:
        """Embed RGB images; float32 (n, d), not normalised."""


@lru_cache(maxsize=2)
def load(settings: EncoderSettings) -> Encoder:
    """Load the encoder, once per process: a worker uses it for many shards.

    Raises:
        ConfigError: The model cannot be loaded; the message says what to do.
    """
    try:
        if settings.kind == "sentence":
            from mmi_hpc.embed.sentence import SentenceEncoder

            return SentenceEncoder(settings)
        from mmi_hpc.embed.clip import ClipEncoder

        return ClipEncoder(settings)
    except MmiError:
        raise
    except Exception as error:  # every library and file format has errors of its own
        names = " ".join(filter(None, (settings.model, settings.pretrained)))
        raise ConfigError(
            f"the {settings.kind} encoder {names!r} cannot be loaded: {_first_line(error)}. "
            f"{_ADVICE[settings.kind]} Compute nodes often have no internet: fill the cache first."
        ) from error


def pick_device(settings: EncoderSettings) -> str:
    """Name of the device: "cuda" or "cpu"."""
    import torch

    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return settings.device


def describe_device(device: str, settings: EncoderSettings) -> dict[str, str]:
    """Device and number format, as recorded in markers."""
    import torch

    name = torch.cuda.get_device_name(0) if device == "cuda" else "cpu"
    return {"device": name, "dtype": settings.precision, "threads": str(settings.threads)}


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines() or [repr(error)]
    return lines[0][:_LONGEST_REASON].rstrip(". ")
