"""Says what is wrong with a setting in one sentence, with the nearest known name for a typo."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel


def explain(model: type[BaseModel], error: dict[str, Any]) -> str:
    """One line for one pydantic error of `model`."""
    path = [str(part) for part in error["loc"]]
    key = ".".join(path)
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such setting{_suggestion(model, path)}"
    if error["type"] == "missing":
        return f"{key}: this setting is required."
    value = error.get("input")
    shown = repr(value) if len(repr(value)) < 80 else type(value).__name__
    return f"{key}: {error['msg']} (got {shown})"


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that `name` most likely means, or None."""
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return match[0] if match else None


def _suggestion(model: type[BaseModel], path: list[str]) -> str:
    siblings = sorted(_fields_at(model, path[:-1]))
    best = nearest(path[-1], siblings)
    if best:
        return f". Did you mean {'.'.join([*path[:-1], best])}?"
    elsewhere = [full for full in _all_paths(model) if full.split(".")[-1] == path[-1]]
    if elsewhere:
        return f". Did you mean {elsewhere[0]}?"
    return f". Known here: {', '.join(siblings)}." if siblings else "."


def _fields_at(model: type[BaseModel], path: list[str]) -> list[str]:
    models = [model]
    for part in path:
        deeper = [inner for m in models for inner in _models_of_field(m, part)]
        # The tag of a discriminated union appears in the path without being a field.
        models = deeper or [m for m in models if _has_tag(m, part)] or models
    return [name for m in models for name in m.model_fields]


def _models_of_field(model: type[BaseModel], name: str) -> list[type[BaseModel]]:
    field = model.model_fields.get(name)
    return list(_models_in(field.annotation)) if field else []


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for inner in get_args(annotation):
        yield from _models_in(inner)


def _has_tag(model: type[BaseModel], tag: str) -> bool:
    return any(tag in get_args(field.annotation) for field in model.model_fields.values())


def _all_paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        yield f"{prefix}{name}"
        for inner in _models_in(field.annotation):
            yield from _all_paths(inner, f"{prefix}{name}.")
