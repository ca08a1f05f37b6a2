"""A writer without a model, for the offline quickstart and for tests.

It fills the place of a language model with rules: it takes a description apart by word lists
and puts its own phrases into the form that an instruction asks for. The same input gives the
same text on every machine and Python version. What it writes is readable and grounded, not
clever; nobody should train on it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from mmi_hpc.llm.rules.answer import answer
from mmi_hpc.llm.rules.choice import draw
from mmi_hpc.llm.rules.describe import describe
from mmi_hpc.llm.rules.genres import GENRES, recognise
from mmi_hpc.llm.rules.propose import propose
from mmi_hpc.llm.rules.summarise import summarise

# Raised whenever the same facts would be written up in other words.
VERSION = 2

__all__ = ["GENRES", "TASKS", "VERSION", "recognise", "write"]

T = TypeVar("T")


def write(task: str, facts: Mapping[str, object], seed: int) -> str:
    """Write the text of one language-model task by rules.

    Args:
        task: One of `TASKS`, which are the prompt templates' names.
        facts: The facts that the prompt template of that name takes; others are ignored.
        seed: Any integer; chooses among wordings together with the facts.

    Returns:
        The reply. `describe` gives "" where the facts hold nothing to describe; every other
        task gives some text.

    Raises:
        ValueError: The task is unknown, or a fact is missing or of a wrong kind.
    """
    if task not in TASKS:
        raise ValueError(f"there are no rules for the task {task!r}; the tasks are {TASKS}.")
    return _WRITERS[task](facts, seed)


def _describe(facts: Mapping[str, object], seed: int) -> str:
    return describe(_fact(facts, "alt_text", str), _fact(facts, "boxes", list))


def _propose(facts: Mapping[str, object], seed: int) -> str:
    seeds, count = _texts(facts, "seeds"), _fact(facts, "count", int)
    return propose(_fact(facts, "description", str), seeds, count, seed)


def _summarise(facts: Mapping[str, object], seed: int) -> str:
    return summarise(_texts(facts, "members"))


def _exemplify(facts: Mapping[str, object], seed: int) -> str:
    # A seed of its own, so that an image's example and its answer are not word for word the same.
    return _answer(facts, draw(seed, "exemplify"))


def _answer(facts: Mapping[str, object], seed: int) -> str:
    return answer(_fact(facts, "description", str), _fact(facts, "instruction", str), seed)


def _fact(facts: Mapping[str, object], name: str, kind: type[T]) -> T:
    if name not in facts:
        raise ValueError(f"the rules need the fact {name!r}, which was not given; pass it in.")
    value = facts[name]
    if kind is list and isinstance(value, tuple):
        value = list(value)
    if not isinstance(value, kind):
        found = type(value).__name__
        raise ValueError(f"the fact {name!r} must be of type {kind.__name__}, but it is {found}.")
    return value


def _texts(facts: Mapping[str, object], name: str) -> list[str]:
    items: list[object] = _fact(facts, name, list)
    for item in items:
        if not isinstance(item, str):
            raise ValueError(f"the fact {name!r} must be a list of texts; it holds {item!r:.80}.")
    return [item for item in items if isinstance(item, str)]


_WRITERS: dict[str, Callable[[Mapping[str, object], int], str]] = {
    "describe": _describe,
    "propose": _propose,
    "summarise": _summarise,
    "exemplify": _exemplify,
    "answer": _answer,
}
TASKS = tuple(_WRITERS)
