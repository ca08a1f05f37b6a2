"""Says what is wrong with a setting in one sentence, with the nearest known name for a typo."""

from __future__ import annotations

import difflib
from collections.abc import Iterator
from typing import Any, get_args

from pydantic import BaseModel

_QUOTE = "'"


def explain(model: type[BaseModel], error: dict[str, Any]) -> str:
    """One line for one pydantic error of `model`."""
    path, holders = locate(model, [str(part) for part in error["loc"]])
    key = ".".join(path)
    context = error.get("ctx", {})
    if error["type"] == "extra_forbidden":
        return f"{key}: there is no such setting{_suggestion(model, path, holders)}"
    if error["type"] == "missing":
        return f"{key}: this setting is required."
    if error["type"] == "union_tag_not_found":
        return f"{key}.{context['discriminator'].strip(_QUOTE)}: this setting is required."
    if error["type"] == "union_tag_invalid":
        return _wrong_tag(key, context)
    value = error.get("input")
    shown = repr(value) if len(repr(value)) < 80 else type(value).__name__
    return f"{key}: {error['msg']} (got {shown})"


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that `name` most likely means, or None."""
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return match[0] if match else None


def _suggestion(model: type[BaseModel], path: list[str], holders: list[type[BaseModel]]) -> str:
    siblings = sorted({name for holder in holders for name in holder.model_fields})
    best = nearest(path[-1], siblings)
    if best:
        return f". Did you mean {'.'.join([*path[:-1], best])}?"
    elsewhere = [full for full in _all_paths(model) if full.split(".")[-1] == path[-1]]
    if elsewhere:
        return f". Did you mean {elsewhere[0]}?"
    return f". Known here: {', '.join(siblings)}." if siblings else "."


def _wrong_tag(key: str, context: dict[str, Any]) -> str:
    known = [tag.strip(_QUOTE) for tag in context["expected_tags"].split(", ")]
    best = nearest(context["tag"], known)
    hint = f"Did you mean {best}?" if best else f"Known: {', '.join(known)}."
    name = context["discriminator"].strip(_QUOTE)
    return f"{key}.{name}: there is no {name} {context['tag']!r}. {hint}"


def locate(model: type[BaseModel], location: list[str]) -> tuple[list[str], list[type[BaseModel]]]:
    """The path as a person writes it, and the classes that may hold its last part.

    The tag of a discriminated union stands in pydantic's location without being a setting.
    """
    path, models, holders = list[str](), [model], [model]
    for part in location:
        tagged = [m for m in models if _has_tag(m, part)]
        if tagged and not any(part in m.model_fields for m in models):
            models = tagged
            continue
        path.append(part)
        holders = models
        models = [inner for m in models for inner in _models_of_field(m, part)] or models
    return path, holders


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
