"""Cleaning, splitting and bounding text that nobody vouches for.

Character classes are spelled out rather than taken from the Unicode tables of the running
Python, so that every version cuts the same text at the same place.
"""

from __future__ import annotations

import re

from mmi_hpc.llm.prompts import clean_text
from mmi_hpc.llm.rules.lexicon import ABBREVIATIONS, DANGLING

READ_CHARS = 20_000
"""Characters of a description that are read; far above any real one."""

SENTENCE_CHARS = 320
SENTENCE_WORDS = 45

# Letters above ASCII, without the general, CJK and full-width punctuation between them.
_HIGH = (
    "\u00aa\u00b5\u00ba\u00c0-\u1fff\u2c00-\u2dff\u3005-\u3007\u3040-\ud7ff"
    "\uf900-\ufdff\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff66-\uffdc\U00010000-\U0010ffff"
)
LETTER = "A-Za-z0-9" + _HIGH
TOKEN = re.compile(f"[{LETTER}]+(?:['’.\\-/&+_#][{LETTER}]+)*|#[{LETTER}]+|[^\\s]")

_TAGS = re.compile(r"<[^<>]{1,80}>")
_MARKUP = re.compile(r"[*`|\\]+|^[ \t]*(?:#+|>|-|•)[ \t]+", re.MULTILINE)
_STARTERS = "a|an|the|there|two|three|some|this|it|he|she|they|in|on"
_BREAK = re.compile(
    f"(?<=[.!?])[\"'”’)\\]]*\\s+(?=[\"'“‘(\\[]*(?:[A-Z0-9]|[{_HIGH}]|(?:{_STARTERS})\\b))"
    "|(?<=[。！？])|\\n+"
)
_LOWER = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ", "abcdefghijklmnopqrstuvwxyz")
_UPPER = str.maketrans("abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_BANNED = (
    (re.compile(r"bounding\s+box", re.IGNORECASE), "frame"),
    (re.compile(r"description", re.IGNORECASE), "account"),
    (re.compile(r"caption", re.IGNORECASE), "line"),
    (re.compile(r"as an ai", re.IGNORECASE), "as one"),
)


def lower(text: str) -> str:
    """Lower-case the ASCII letters of a text."""
    return text.translate(_LOWER)


def capitalised(text: str) -> str:
    """Upper-case the first character of a text where it is an ASCII letter."""
    return text[:1].translate(_UPPER) + text[1:]


def squeeze(text: str) -> str:
    """Clean a text and put it on one line with single spaces."""
    return " ".join(clean_text(text[:READ_CHARS]).split())


def plain(text: str) -> str:
    """Clean a text of control characters, HTML tags and Markdown marks, keeping line breaks."""
    text = clean_text(text[:READ_CHARS])
    return _MARKUP.sub("", _TAGS.sub(" ", text))


def without_sources(text: str) -> str:
    """Replace the words by which an answer would give away that it was written from text."""
    for pattern, replacement in _BANNED:
        text = pattern.sub(replacement, text)
    return text


def sentences(text: str) -> list[str]:
    """Split a text into trimmed sentences, keeping their end marks.

    Line breaks end a sentence. Initials and common abbreviations do not.

    Args:
        text: Any text.

    Returns:
        The non-empty sentences in order; a last one without an end mark is kept as it is.
    """
    joined: list[str] = []
    for piece in _pieces(text):
        if joined and _is_abbreviation(joined[-1]):
            joined[-1] += " " + piece
        else:
            joined.append(piece)
    return joined


def _pieces(text: str) -> list[str]:
    pieces: list[str] = []
    start = 0
    for match in _BREAK.finditer(text):
        # Closing quotes are part of the match but belong to the sentence before it.
        pieces.append(text[start : match.start()] + match.group().strip())
        start = match.end()
    pieces.append(text[start:])
    return [" ".join(piece.split()) for piece in pieces if piece.strip()]


def _is_abbreviation(sentence: str) -> bool:
    last = sentence.rsplit(" ", 1)[-1]
    if not last.endswith("."):
        return False
    stem = lower(last[:-1].lstrip("(\"'"))
    return stem in ABBREVIATIONS or (len(stem) == 1 and "a" <= stem <= "z")


def clipped(sentence: str, max_words: int = SENTENCE_WORDS, chars: int = SENTENCE_CHARS) -> str:
    """Shorten a sentence at its last good place and end it with a period.

    Args:
        sentence: One sentence.
        max_words: Most words kept.
        chars: Most characters kept.

    Returns:
        The sentence itself where it is short enough, otherwise its beginning.
    """
    kept = sentence.split()[:max_words]
    text = " ".join(kept)[:chars]
    if len(text) < len(sentence):
        comma = text.rfind(",")
        text = text[:comma] if comma > len(text) // 2 else text
    return ended(text) if len(text) < len(sentence) else ended(sentence)


def ended(text: str) -> str:
    """End a sentence: keep its own end mark, otherwise drop loose ends and add a period."""
    text = text.strip()
    if text.endswith((".", "!", "?", "。", "！", "？", '."', '!"', '?"', ".”", "!”", "?”", ".)")):
        return text
    parts = text.rstrip(" ,;:-–—(").split(" ")
    while len(parts) > 1 and lower(parts[-1].strip("\"'“”,;:")) in DANGLING:
        parts.pop()
    text = " ".join(parts).rstrip(" ,;:-–—(")
    return text + "." if text else ""


def size(text: str) -> int:
    """Measure a text in words; scripts without spaces count six characters as a word."""
    return max(len(text.split()), len(text) // 6)
