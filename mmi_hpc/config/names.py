"""Says what is wrong with a setting in one sentence, with the nearest known name for a typo."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel

_QUOTE = "'"

# What pydantic says in the language of its programmers, by the type of its error.
_PLAIN_WORDS = {
    "tuple_type": "must be a list in brackets: [a, b]",
    "model_type": "must be a section of settings: {key: value}",
    "model_attributes_type": "must be a section of settings: {key: value}",
    "path_type": "must be a path",
}
# What a pattern asks for, by the name of the setting.
_PATTERNS = {
    "name": "must be 1 to 64 letters, digits, dots, dashes or underscores, "
    "and begin with a letter or digit",
    "umask": "must be three digits from 0 to 7, such as 077",
    "base_url": "must be an address such as http://127.0.0.1:8000/v1",
}
_MOST_SUGGESTIONS = 3


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
    return f"{key}: {_reason(path, error)} (got {shown}){_meant_value(error)}"


def nearest(name: str, known: list[str]) -> str | None:
    """The known name that `name` most likely means, or None."""
    match = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    return match[0] if match else None


def _reason(path: list[str], error: dict[str, Any]) -> str:
    if error["type"] == "string_pattern_mismatch":
        return _PATTERNS.get(path[-1], str(error["msg"]))
    return _PLAIN_WORDS.get(error["type"], str(error["msg"]))


def _meant_value(error: dict[str, Any]) -> str:
    """A hint at the nearest of the few values that a setting can have."""
    if error["type"] not in ("literal_error", "enum") or not isinstance(error.get("input"), str):
        return ""
    best = nearest(error["input"], re.findall(r"'([^']*)'", error["ctx"]["expected"]))
    return f". Did you mean {best}?" if best else ""


def _suggestion(model: type[BaseModel], path: list[str], holders: list[type[BaseModel]]) -> str:
    siblings = sorted({name for holder in holders for name in holder.model_fields})
    best = nearest(path[-1], siblings)
    if best:
        return f". Did you mean {'.'.join([*path[:-1], best])}?"
    section = [".".join([*path[:-1], inner]) for holder in holders for inner in _all_paths(holder)]
    for found in (
        _of_leaf(path[-1], section),
        _of_leaf(path[-1], _all_paths(model)),
        _of_leaf(nearest(path[-1], [_leaf(full) for full in section]), section),
    ):
        if found:
            return f". Did you mean {' or '.join(found[:_MOST_SUGGESTIONS])}?"
    return f". Known here: {', '.join(siblings)}." if siblings else "."


def _of_leaf(name: str | None, paths: Iterable[str]) -> list[str]:
    """The paths whose last part is `name`, each once, the shortest first."""
    return sorted({full for full in paths if _leaf(full) == name}, key=lambda p: (p.count("."), p))


def _leaf(path: str) -> str:
    return path.rpartition(".")[2]


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
