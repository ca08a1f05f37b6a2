"""Writing an answer: read the scene, recognise the genre, write, and check what was written."""

from __future__ import annotations

import re

from mmi_hpc.llm.rules.brief import Brief, word_limit
from mmi_hpc.llm.rules.facts import focused, read
from mmi_hpc.llm.rules.genres import recognise
from mmi_hpc.llm.rules.text import lower, squeeze, without_sources

MAX_CHARS = 2500
_MIN_ECHO_WORDS = 4

# A bullet, a number or a bold head at the start of a line, which is no part of its sentence.
_MARK = re.compile(r"^(?:- |[0-9]+\. )?(?:\*\*[^*\n]+\*\*:? ?)?")
_STOP = re.compile(r"(?<=[.!?。！？])\s+")
_NOT_TEXT = re.compile(r"[\s\"'“”‘’.!?,:;()。！？]+")


def answer(description: str, instruction: str, seed: int) -> str:
    """Answer an instruction about an image from its description.

    Args:
        description: What the image shows.
        instruction: What is asked.
        seed: Chooses among wordings.

    Returns:
        At most 2,500 characters of plain text or Markdown; never empty.
    """
    # A description that holds the instruction must not make the answer echo it.
    asked = squeeze(instruction)
    scene = focused(read(_without_echo(without_sources(description), instruction)), asked)
    text = recognise(asked).write(Brief(scene, asked, seed))
    text = _without_echo(without_sources(text), instruction)
    return _bounded(_within(_without_repeats(text), word_limit(asked)))


def _without_echo(text: str, instruction: str) -> str:
    words = squeeze(instruction).rstrip(" .!?").split()
    if len(words) < _MIN_ECHO_WORDS:
        return text  # a word or two may well be what the scene is about
    pattern = r"\s+".join(re.escape(word) for word in words)
    return re.sub(pattern, "this", text, flags=re.IGNORECASE)


def _without_repeats(text: str) -> str:
    """Drop every sentence that has been said before."""
    seen: set[str] = set()
    lines: list[str] = []
    for line in text.split("\n"):
        match = _MARK.match(line)
        mark = match.group() if match else ""
        kept: list[str] = []
        for sentence in _STOP.split(line[len(mark) :]):
            key = lower(_NOT_TEXT.sub(" ", sentence).strip())
            if key and key not in seen:
                seen.add(key)
                kept.append(sentence)
        if kept or not line or (mark.strip() and not line[len(mark) :].strip()):
            lines.append(mark + " ".join(kept))
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def _within(text: str, words: int) -> str:
    """Drop whole sentences from the end until a text has no more words than was asked for."""
    lines = text.split("\n")
    while words and len(" ".join(lines).split()) > words:
        parts = _STOP.split(lines[-1])
        if len(lines) == 1 and len(parts) == 1:
            break
        lines[-1:] = [" ".join(parts[:-1])] if len(parts) > 1 else []
        while len(lines) > 1 and (not lines[-1].strip() or _MARK.sub("", lines[-1]) == ""):
            lines.pop()
    return "\n".join(lines)


def _bounded(text: str) -> str:
    if len(text) <= MAX_CHARS:
        return text
    cut = text[: MAX_CHARS - 1]
    end = max(cut.rfind("\n"), cut.rfind(". "), cut.rfind("。"))
    return cut[: end + 1].strip() if end > 0 else cut + "."
