"""The base class of every settings section, and the marks that say what a field means to a result.

A field is *scientific* unless marked: it belongs to the fingerprint of the stages that use it.
`Operational` fields (how fast, where, with how many) may change without changing a result.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict
from pydantic.fields import FieldInfo

from mmi_hpc.errors import ConfigError
from mmi_hpc.files import digest_model


@dataclass(frozen=True)
class Operational:
    """Mark of a field that says how or where the work is done, never what comes out."""


def expand_user(value: Any) -> Any:
    """Replace a leading `~`, which the shell leaves alone after `key=`."""
    return os.path.expanduser(value) if isinstance(value, (str, Path)) else value


def absolute(value: Any) -> Any:
    """Make a path absolute: workers may run in another folder."""
    is_path = isinstance(value, (str, Path)) and str(value)
    return os.path.abspath(expand_user(value)) if is_path else value


@dataclass(frozen=True)
class Located:
    """Mark of a field that tells runs apart although results do not depend on it.

    Paths of input data and names of models (their content counts), and how work is cut into shards.
    """


@dataclass(frozen=True)
class ByContent:
    """Mark of a path that stands for the content found there, wherever it lies."""


LocalPath = Annotated[Path, BeforeValidator(absolute), ByContent()]
Place = Annotated[Path, BeforeValidator(absolute), Located()]


class Settings(BaseModel):
    """A section of the configuration: frozen, and strict about names it does not know."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_default=True, allow_inf_nan=False
    )


class StageSettings(Settings):
    """The section of one stage, or of several that belong together."""

    section: ClassVar[str]


def scientific(settings: Settings, *, located: bool = False) -> dict[str, Any]:
    """Return the values that a result depends on, with model paths replaced by what they contain.

    Args:
        settings: Any section.
        located: Whether to include what only tells runs apart.

    Raises:
        ConfigError: A path that stands for content does not exist.
    """
    return dict(_scientific_fields(settings, located))


def _scientific_fields(settings: Settings, located: bool) -> Iterator[tuple[str, Any]]:
    for name, field in type(settings).model_fields.items():
        value = getattr(settings, name)
        marks = _marks(field)
        if Operational() in marks or (Located() in marks and not located):
            continue
        if isinstance(value, Settings):
            yield name, scientific(value, located=located)
        elif ByContent() in marks and value is not None:
            yield name, _content(name, value)
        else:
            yield name, str(value) if isinstance(value, Path) else value


def _marks(field: FieldInfo) -> list[Any]:
    """The marks of a field; those of `LocalPath | None` stand inside the union."""
    inside = (getattr(part, "__metadata__", ()) for part in get_args(field.annotation))
    return [*field.metadata, *(mark for marks in inside for mark in marks)]


def _content(name: str, path: Path) -> str:
    if not path.exists():
        raise ConfigError(f"{name}: {path} does not exist. Correct the path and launch again.")
    return f"content:{digest_model(path)}"
