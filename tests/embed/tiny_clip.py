"""A CLIP model small enough to be built in a second: random weights, real code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CONFIG: dict[str, Any] = {
    "embed_dim": 32,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {
        "context_length": 77,
        "vocab_size": 49408,
        "width": 32,
        "heads": 2,
        "layers": 2,
    },
}


def build(folder: Path) -> Path:
    """Save the model as a local open_clip folder; the same bytes on every call.

    Returns:
        The folder, which holds open_clip_config.json and open_clip_model.safetensors.
    """
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    config = {"model_cfg": CONFIG, "preprocess_cfg": {"mean": [0.5] * 3, "std": [0.25] * 3}}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(weights(), folder / "open_clip_model.safetensors")
    return folder


def weights() -> dict[str, Any]:
    """The random weights, always the same ones."""
    import torch
    from open_clip.model import CLIP

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(7)
        state = CLIP(**CONFIG).state_dict()
    return {name: tensor.contiguous() for name, tensor in state.items()}
