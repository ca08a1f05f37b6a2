"""Prompt templates of the language-model stages, and the one way to fill them.

A template is a jinja2 file beside this module with a `system` and a `user` block. Its
variables are *facts*: plain data about one record. Facts come from data sets and from other
models, so they are treated as hostile: they are cleaned here, they are never parsed as a
template, and the templates run in jinja2's sandbox. The wording is our own design.
"""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import jinja2
import jinja2.meta
import jinja2.sandbox
import xxhash

TEMPLATES = ("describe", "propose", "summarise", "exemplify", "answer")

# A text in place of one of these lists would be taken apart into characters.
_LISTS = frozenset({"boxes", "seeds", "members", "examples"})
_FOLDER = Path(__file__).parent
_IMAGE_MARK = "<image>"
# C0 and C1 controls without newline, DEL, and every surrogate: a `str` holds only lone ones.
_UNPRINTABLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Prompt:
    """One rendered prompt: the text of the system message and of the user message."""

    system: str
    user: str


class PromptError(ValueError):
    """A template was asked for that does not exist, or its facts do not fit it."""


def clean_text(text: str) -> str:
    """Make one text value safe to stand in a prompt; applying it twice changes nothing more.

    Line ends become a newline and a tab a space; every other control character and every lone
    surrogate goes. The literal `<image>` goes too, also where its removal would form a new one:
    trainers replace that token by pixels, so it must never come from data.

    Args:
        text: Any text.

    Returns:
        The cleaned text, which always encodes as UTF-8.
    """
    text = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", " ")
    text = _UNPRINTABLE.sub("", text)
    return _without_image_token(text) if _IMAGE_MARK in text else text


def _without_image_token(text: str) -> str:
    # A stack of characters: linear even when tokens are nested thousands deep.
    kept: list[str] = []
    for character in text:
        kept.append(character)
        if character == ">" and "".join(kept[-len(_IMAGE_MARK) :]) == _IMAGE_MARK:
            del kept[-len(_IMAGE_MARK) :]
    return "".join(kept)


def render(name: str, facts: Mapping[str, object]) -> Prompt:
    """Fill one template with the facts of one record.

    Args:
        name: One of `TEMPLATES`.
        facts: The template's variables: text, numbers, and lists or mappings of them. Facts
            that the template does not use are ignored.

    Returns:
        The two messages, without blank lines around them.

    Raises:
        PromptError: The template is unknown, or a fact is missing or of a wrong kind.
    """
    template, variables = _load(name)
    missing = sorted(variables - facts.keys())
    if missing:
        names = ", ".join(repr(variable) for variable in missing)
        raise PromptError(f"prompt template {name!r} needs the missing fact {names}; pass it in.")
    data = {key: _clean(name, key, facts[key]) for key in sorted(variables)}
    for key in variables & _LISTS:
        if not isinstance(data[key], list):
            raise PromptError(f"prompt template {name!r}: the fact {key!r} must be a list.")
    try:
        context = template.new_context(data)
        system, user = ("".join(template.blocks[part](context)) for part in ("system", "user"))
    except (jinja2.UndefinedError, TypeError, ValueError) as error:
        raise PromptError(f"prompt template {name!r} cannot be filled: {error}.") from error
    return Prompt(system.strip("\n"), user.strip("\n"))


def digest(name: str) -> str:
    """Return the xxh128 hex digest of a template's bytes, for fingerprints.

    Args:
        name: One of `TEMPLATES`.

    Returns:
        32 lower-case hexadecimal digits.

    Raises:
        PromptError: The template is unknown.
    """
    return xxhash.xxh128_hexdigest(_source(name))


@functools.cache
def _source(name: str) -> bytes:
    if name not in TEMPLATES:
        known = ", ".join(TEMPLATES)
        raise PromptError(f"there is no prompt template {name!r}; the templates are {known}.")
    return (_FOLDER / f"{name}.jinja").read_bytes()


@functools.cache
def _load(name: str) -> tuple[jinja2.Template, frozenset[str]]:
    source = _source(name).decode("utf-8")
    environment = _environment()
    variables = jinja2.meta.find_undeclared_variables(environment.parse(source))
    return environment.from_string(source), frozenset(variables)


@functools.cache
def _environment() -> jinja2.sandbox.SandboxedEnvironment:
    environment = jinja2.sandbox.SandboxedEnvironment(
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # plain text for a language model, no HTML
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["oneline"] = _oneline
    environment.filters["corners"] = _corners
    return environment


def _clean(template: str, key: str, value: object) -> object:
    if isinstance(value, str):
        return clean_text(value)
    if value is None or isinstance(value, (int, float)):
        return value
    if isinstance(value, Mapping):
        return {str(k): _clean(template, f"{key}.{k}", v) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (bytes, bytearray)):
        return [_clean(template, f"{key}[{i}]", item) for i, item in enumerate(value)]
    raise PromptError(
        f"prompt template {template!r}: the fact {key!r} is a {type(value).__name__}; "
        "facts are text, numbers, lists and mappings."
    )


def _oneline(text: object) -> str:
    # A list item with a line break could fake the next number of its list.
    return " ".join(str(text).split())


def _corners(box: Sequence[float]) -> str:
    values = [float(value) for value in box]
    if not all(math.isfinite(value) for value in values):
        return "[unknown]"
    relative = all(abs(value) <= 1.0 for value in values)
    return "[" + ", ".join(f"{v:.3f}" if relative else f"{v:.0f}" for v in values) + "]"
