"""What an encoder does, and which one the settings name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from mmi_hpc.embed.settings import EncoderSettings
from mmi_hpc.errors import ConfigError

if TYPE_CHECKING:
    from PIL import Image

Float32 = npt.NDArray[np.float32]


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
    import torch

    torch.set_num_threads(settings.threads)
    try:
        if settings.kind == "sentence":
            from mmi_hpc.embed.sentence import SentenceEncoder

            return SentenceEncoder(settings)
        from mmi_hpc.embed.clip import ClipEncoder

        return ClipEncoder(settings)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise ConfigError(
            f"the {settings.kind} encoder {settings.model!r} {settings.pretrained} cannot be "
            f"loaded: {reason}. Give a folder, or a hub name whose files are in this machine's "
            "cache (compute nodes often have no internet)."
        ) from error


def pick_device(settings: EncoderSettings) -> str:
    """Name of the device: "cuda" or "cpu"."""
    import torch

    if settings.device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    return settings.device


def describe_device(device: str, precision: str) -> dict[str, str]:
    """Device and number format, as recorded in markers."""
    import torch

    name = torch.cuda.get_device_name(0) if device == "cuda" else "cpu"
    return {"device": name, "dtype": precision, "threads": str(torch.get_num_threads())}
