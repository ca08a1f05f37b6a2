"""Reads the layers of a configuration, merges them, and validates the result."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from mmi_hpc.config import names, overrides
from mmi_hpc.errors import ConfigError

Model = TypeVar("Model", bound=BaseModel)
Tree = dict[str, Any]


def read_yaml(path: Path) -> Tree:
    """Read one YAML mapping.

    Raises:
        ConfigError: The file is missing, is no UTF-8 text, no YAML, or no mapping.
    """
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise ConfigError(f"there is no configuration file {path}.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}.") from error
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
    if not isinstance(content, dict):
        raise ConfigError(f"{path} must hold settings of the form `key: value`.")
    return {str(key): value for key, value in content.items()}


def merge(layers: Sequence[Tree]) -> Tree:
    """Merge nested mappings; a later layer wins, and lists are replaced as a whole."""
    merged: Tree = {}
    for layer in layers:
        for key, value in layer.items():
            below = merged.get(key)
            both = isinstance(value, dict) and isinstance(below, dict)
            merged[key] = merge([below, value]) if both else value  # type: ignore[list-item]
    return merged


def compose(
    recipe: Path,
    arguments: Sequence[str] = (),
    *,
    profile: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> Tree:
    """Merge site profile, recipe, `MMI_*` variables and command line, in this order of rank.

    Relative paths inside the YAML files are left as they stand: they mean the working folder, as
    they do on the command line.
    """
    variables = os.environ if environment is None else environment
    return merge(
        [
            read_yaml(profile) if profile else {},
            read_yaml(recipe),
            overrides.from_environment(variables),
            overrides.from_command_line(arguments),
        ]
    )


def validate(model: type[Model], tree: Tree, where: str) -> Model:
    """Build the typed settings.

    Args:
        model: The settings class of the whole configuration.
        tree: The merged layers.
        where: What a message should call the origin, usually the recipe's path.

    Raises:
        ConfigError: One sentence for every wrong setting; unknown names come with the nearest
            known one.
    """
    try:
        return model.model_validate(tree)
    except ValidationError as error:
        lines = [_explain(model, dict(item)) for item in error.errors()]
        noun = "setting is" if len(lines) == 1 else "settings are"
        text = "\n".join(f"  {line}" for line in lines)
        raise ConfigError(f"{len(lines)} {noun} wrong ({where}):\n{text}") from error


def _explain(model: type[BaseModel], error: dict[str, Any]) -> str:
    """What is wrong; a setting that no file holds would be looked for there in vain."""
    path, _ = names.locate(model, [str(part) for part in error["loc"]])
    name = overrides.variable(path)
    found = sorted(v for v in os.environ if v == name or v.startswith(f"{name}__"))
    origin = f" It comes from the variable {', '.join(found)}." if found else ""
    return names.explain(model, error) + origin
