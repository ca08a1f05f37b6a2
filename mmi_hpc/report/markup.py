"""Reads the light Markdown of model answers into blocks of plain text.

Nothing here makes HTML. An answer is split into headings, lists, code and paragraphs whose parts
are plain strings, and the template escapes each of them, so that no answer can bring its own tags.
Every step is a split or an anchored match: the time is linear in the length of the answer.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import groupby

_HEADING = re.compile(r"#{1,6}[ \t]+(?=\S)")
_BULLET = re.compile(r"[ \t]*[-*\u2022][ \t]+(?=\S)")
_NUMBER = re.compile(r"[ \t]*(\d{1,3})[.)][ \t]+(?=\S)", re.ASCII)
_FENCE = "```"

# Not allowed in HTML text: control characters except tab and line feed, and lone surrogates, which
# JSON replies can carry and UTF-8 cannot encode.
_UNPRINTABLE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")


@dataclass(frozen=True)
class Span:
    """A piece of a line.

    Attributes:
        text: Plain text, not escaped.
        strong: Whether it stood between double asterisks.
    """

    text: str
    strong: bool


@dataclass(frozen=True)
class Line:
    """One line of a block.

    Attributes:
        spans: Its pieces from left to right.
        number: The number of a numbered list item, else None.
    """

    spans: tuple[Span, ...]
    number: int | None = None


@dataclass(frozen=True)
class Block:
    """Neighbouring lines of one kind.

    Attributes:
        kind: "heading", "bullets", "numbers", "code" or "text".
        lines: The lines without their markers.
    """

    kind: str
    lines: tuple[Line, ...]


def clean(text: str) -> str:
    """Returns `text` with line feeds as line ends and U+FFFD for what HTML text must not hold."""
    return _UNPRINTABLE.sub("\ufffd", text.replace("\r\n", "\n").replace("\r", "\n"))


def blocks(text: str) -> tuple[Block, ...]:
    """Splits an answer into blocks.

    Args:
        text: An answer, possibly with headings, lists, code fences and bold words in Markdown.

    Returns:
        The blocks in order. Text without Markdown is one block of kind "text", and blank lines
        inside a paragraph stay as empty lines.
    """
    grouped = groupby(_classified(clean(text).strip("\n").split("\n")), key=lambda pair: pair[0])
    found = (Block(kind, tuple(line for _, line in pairs)) for kind, pairs in grouped)
    trimmed = (_without_blank_edges(block) if block.kind == "text" else block for block in found)
    return tuple(block for block in trimmed if block.lines)


def spans(line: str) -> tuple[Span, ...]:
    """Splits a line at its bold words.

    Asterisks that do not pair up, as in `2**3`, leave the line as it is: a report on training data
    must not hide characters of it.

    Args:
        line: One line of text.

    Returns:
        Plain and strong pieces from left to right; none is empty.
    """
    parts = line.split("**")
    plain, strong = parts[::2], parts[1::2]
    paired = len(parts) % 2 == 1 and all(part and part == part.strip() for part in strong)
    powers = any(part[-1:].isascii() and part[-1:].isalnum() for part in plain[:-1])
    if not paired or powers:
        parts = [line]
    return tuple(Span(part, index % 2 == 1) for index, part in enumerate(parts) if part)


def _classified(lines: list[str]) -> list[tuple[str, Line]]:
    """Pairs every line with the kind of block it belongs to."""
    # An odd fence would turn the whole rest of the answer into code; then fences are plain text.
    fenced = sum(line.lstrip().startswith(_FENCE) for line in lines) % 2 == 0
    found: list[tuple[str, Line]] = []
    in_code = False
    for line in lines:
        is_fence = fenced and line.lstrip().startswith(_FENCE)
        if is_fence or in_code:
            found.append(("code", Line((Span(line, False),))))
            in_code = in_code != is_fence
        else:
            found.append(_prose(line))
    return found


def _prose(line: str) -> tuple[str, Line]:
    if match := _HEADING.match(line):
        return "heading", Line(spans(line[match.end() :]))
    if match := _BULLET.match(line):
        return "bullets", Line(spans(line[match.end() :]))
    if match := _NUMBER.match(line):
        return "numbers", Line(spans(line[match.end() :]), int(match[1]))
    return "text", Line(spans(line))


def _without_blank_edges(block: Block) -> Block:
    """Drops blank lines at both ends; the distance between blocks is the style sheet's."""
    lines = list(block.lines)
    while lines and not _has_ink(lines[-1]):
        lines.pop()
    first = next((index for index, line in enumerate(lines) if _has_ink(line)), len(lines))
    return Block(block.kind, tuple(lines[first:]))


def _has_ink(line: Line) -> bool:
    return any(span.text.strip() for span in line.spans)
