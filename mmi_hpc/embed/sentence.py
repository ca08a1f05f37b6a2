"""Sentence encoders, by hub name or folder, through the sentence-transformers library."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmi_hpc.embed.blocks import BlockEncoder, Float32
from mmi_hpc.embed.encoder import describe_device, pick_device
from mmi_hpc.embed.settings import EncoderSettings, local_path
from mmi_hpc.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from PIL import Image

# Texts are padded to the next of these lengths, so that few shapes occur.
_LENGTHS = (16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192)


class SentenceEncoder:
    """Texts to vectors."""

    def __init__(self, settings: EncoderSettings) -> None:
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging

        logging.disable_progress_bar()  # in a worker's log it is only noise
        device = pick_device(settings)
        path = local_path(settings.model)
        self._model = SentenceTransformer(
            str(path or settings.model),
            device=device,
            trust_remote_code=False,
            local_files_only=path is not None,
        )
        self._model.eval()
        dtypes = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
        self._model.to(dtypes[settings.precision])
        self._max_tokens = min(settings.max_tokens, self._model.max_seq_length or 512)
        self._blocks = BlockEncoder(self._forward, settings.block, settings.threads)
        self.environment = describe_device(device, settings)

    def embed_texts(self, texts: Sequence[str]) -> Float32:
        """Embed texts; each is padded to a length that depends on it alone."""
        if not texts:
            return np.zeros((0, 0), np.float32)
        tokens = self._model.tokenizer(
            list(texts), truncation=True, max_length=self._max_tokens, padding=False
        )["input_ids"]
        groups: dict[int, list[int]] = {}
        for row, ids in enumerate(tokens):
            groups.setdefault(self._padded_length(len(ids)), []).append(row)
        vectors = [
            self._embed_group([texts[row] for row in rows], length)
            for length, rows in groups.items()
        ]
        result = np.empty((len(texts), vectors[0].shape[1]), np.float32)
        result[[row for rows in groups.values() for row in rows]] = np.concatenate(vectors)
        return result

    def embed_images(self, images: Iterable[Image.Image]) -> Float32:
        """Not possible."""
        raise ConfigError(
            "a sentence encoder cannot embed images. Set embed.input=description, "
            "or embed.encoder.kind=open_clip."
        )

    def _embed_group(self, texts: list[str], length: int) -> Float32:
        inputs = self._model.tokenizer(
            texts, truncation=True, max_length=length, padding="max_length", return_tensors="pt"
        )
        return self._blocks.encode(dict(inputs))

    def _forward(self, rows: dict[str, torch.Tensor]) -> torch.Tensor:
        on_device = {name: tensor.to(self._model.device) for name, tensor in rows.items()}
        result: torch.Tensor = self._model(on_device)["sentence_embedding"]
        return result

    def _padded_length(self, tokens: int) -> int:
        fitting = next((length for length in _LENGTHS if length >= tokens), self._max_tokens)
        return min(fitting, self._max_tokens)
