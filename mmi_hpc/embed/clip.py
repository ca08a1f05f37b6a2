"""CLIP models, by open_clip name or from a local folder or checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmi_hpc.embed.blocks import BlockEncoder, Float32
from mmi_hpc.embed.encoder import describe_device, pick_device
from mmi_hpc.embed.settings import EncoderSettings, local_path
from mmi_hpc.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from PIL import Image


_QUICK = "-quickgelu"  # how open_clip calls an architecture's twin with QuickGELU


class ClipEncoder:
    """Images and texts to vectors of one space.

    `model` is an architecture ("ViT-L-14-336-quickgelu") with `pretrained` naming the weights (a
    tag or a checkpoint file), a folder with open_clip_config.json and weights,
    or "hf-hub:owner/name".
    """

    def __init__(self, settings: EncoderSettings) -> None:
        import open_clip

        device = pick_device(settings)
        folder = local_path(settings.model)
        name = f"local-dir:{folder}" if folder else settings.model
        checkpoint = local_path(settings.pretrained)
        if not folder and not checkpoint:
            check_activation(settings.model, settings.pretrained)
        self._model, _, self._preprocess = open_clip.create_model_and_transforms(
            name,
            pretrained=str(checkpoint or settings.pretrained) or None,
            precision=settings.precision,
            device=device,
            weights_only=True,
            require_pretrained=True,  # without weights the vectors would be random
        )
        self._model.eval()
        self._tokenizer = open_clip.get_tokenizer(name)
        self._device = device
        # Not every parameter has it: normalisations stay in float32.
        self._dtype = open_clip.get_input_dtype(settings.precision)
        self._images = BlockEncoder(self._forward_images, settings.block, settings.threads)
        self._texts = BlockEncoder(self._forward_texts, settings.block, settings.threads)
        self.environment = describe_device(device, settings)

    def embed_texts(self, texts: Sequence[str]) -> Float32:
        """Embed texts with the text tower; longer ones are cut at its context length."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        return self._texts.encode({"text": self._tokenizer(list(texts))})

    def embed_images(self, images: Iterable[Image.Image]) -> Float32:
        """Embed RGB images with open_clip's own preprocessing for this model."""
        import torch

        tensors = [self._preprocess(image) for image in images]
        if not tensors:
            return np.zeros((0, 0), np.float32)
        return self._images.encode({"image": torch.stack(tensors)})

    def _forward_images(self, rows: dict[str, torch.Tensor]) -> torch.Tensor:
        pixels = rows["image"].to(self._device, self._dtype)
        return _tensor(self._model.encode_image(pixels))

    def _forward_texts(self, rows: dict[str, torch.Tensor]) -> torch.Tensor:
        return _tensor(self._model.encode_text(rows["text"].to(self._device)))


def check_activation(model: str, tag: str) -> None:
    """Refuse an architecture whose activation is not the one that the tag's weights were made with.

    open_clip only warns of it and gives vectors that are quietly wrong. Where it knows no other
    architecture for the tag, its own pairing is taken as right.

    Args:
        model: Name of an architecture; hub names and unknown names are let through.
        tag: open_clip's tag of the weights.

    Raises:
        ConfigError: The tag belongs to the architecture's twin with the other activation.
    """
    import open_clip

    weights = open_clip.get_pretrained_cfg(model, tag)
    architecture = open_clip.get_model_config(model) if weights else None
    if not architecture:
        return
    quick = bool(weights.get("quick_gelu", False))
    if quick == bool(architecture.get("quick_gelu", False)):
        return
    twin = f"{model}{_QUICK}" if quick else model.removesuffix(_QUICK)
    if twin != model and open_clip.get_pretrained_cfg(twin, tag):
        raise ConfigError(
            f"encoder.model={model} has another activation than the weights "
            f"encoder.pretrained={tag} were trained with, so its vectors would be wrong. "
            f"Set encoder.model={twin}."
        )


def _tensor(value: Any) -> torch.Tensor:
    found: torch.Tensor = value
    return found
