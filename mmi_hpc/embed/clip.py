"""CLIP models, by open_clip name or from a local folder or checkpoint."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from mmi_hpc.embed.blocks import BlockEncoder, Float32
from mmi_hpc.embed.encoder import describe_device, pick_device
from mmi_hpc.embed.settings import EncoderSettings, local_path

if TYPE_CHECKING:
    import torch
    from PIL import Image


class ClipEncoder:
    """Images and texts to vectors of one space.

    `model` is an architecture ("ViT-L-14-336") with `pretrained` naming the weights (a tag or a
    checkpoint file), a folder with open_clip_config.json and weights, or "hf-hub:owner/name".
    """

    def __init__(self, settings: EncoderSettings) -> None:
        import open_clip

        device = pick_device(settings)
        folder = local_path(settings.model)
        name = f"local-dir:{folder}" if folder else settings.model
        checkpoint = local_path(settings.pretrained)
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


def _tensor(value: Any) -> torch.Tensor:
    found: torch.Tensor = value
    return found
