"""Noun phrases found by word lists: where one begins, where it ends, and how to refer to it.

A phrase begins at an article, a quantifier, a colour, the start of a sentence or an adjective
that a noun must follow; `extent` tells where it ends. `... of ...` may extend it once, and twice
behind a word of number ("hundreds of pieces of stone").
"""

from __future__ import annotations

from dataclasses import dataclass

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.extent import MAX_WORDS, extent, stops
from mmi_hpc.llm.rules.text import lower
from mmi_hpc.llm.rules.verbs import VERBS
from mmi_hpc.llm.rules.words import (
    capital,
    is_adjective,
    is_determiner,
    is_participle,
    is_plural,
    is_word,
    tokens,
)

_INDEFINITE = lexicon.word_set("a an one some several various numerous many another")
_LINKS = lexicon.word_set("is are was were be look looks appear appears seem seems painted dyed")
_THERE = (["there", "is"], ["there", "are"])
MAX_CHARS = 80


@dataclass(frozen=True)
class Noun:
    """One noun phrase.

    Attributes:
        text: The phrase as it reads inside a sentence, such as "a white suit".
        head: The lower-case noun it is about, such as "suit".
        start: Index of its first token in the sentence.
        end: Index after its last token.
    """

    text: str
    head: str
    start: int
    end: int


def noun_phrases(sentence: str) -> list[Noun]:
    """Find the noun phrases of a sentence from left to right.

    Args:
        sentence: One sentence.

    Returns:
        The phrases, none overlapping another. A doubtful one is left out.
    """
    parts = tokens(sentence)
    quoted = _quoted(parts)
    found: list[Noun] = []
    i = 0
    while i < len(parts):
        opens = not quoted[i] and _opens(parts, i)
        noun = _noun_at(parts, i, opens)
        if noun is not None:
            found.append(noun)
        i = noun.end if noun is not None else i + 1
        while opens and noun is None and i < len(parts) and is_adjective(lower(parts[i])):
            i += 1  # what is left of a phrase without a noun is no phrase either
    return found


def _quoted(parts: list[str]) -> list[bool]:
    """Mark the tokens inside double quotes: titles and signs are no things in the scene."""
    marks: list[bool] = []
    inside = False
    for part in parts:
        inside = part != "”" and (part == "“" or inside != (part == '"'))
        marks.append(inside)
    return marks if not inside else [False] * len(parts)


def _opens(parts: list[str], i: int) -> bool:
    word = lower(parts[i])
    before = lower(parts[i - 1]) if i else ""
    if before in {"his", "her", "its", "their", "my", "your", "our", "&"}:
        return False
    if i == 0 or [lower(part) for part in parts[max(0, i - 2) : i]] in _THERE:
        return not is_participle(word)
    if is_determiner(word) or _name_starts(parts, i):
        return True
    if word in lexicon.COLOURS:
        return before not in _LINKS
    # An adjective opens only where a noun must follow: "with short hair", not "is short".
    follows = before in lexicon.PREPOSITIONS or before in {"and", ",", "or"} or before in VERBS
    return follows and word in lexicon.ADJECTIVES and word not in lexicon.POSITIONS


def _noun_at(parts: list[str], i: int, opens: bool) -> Noun | None:
    if not opens or not is_word(parts[i]) or stops(parts[i]):
        return None
    span = extent(parts, i)
    if span is None or (span.cut and i > 0):
        return None
    end, head = span.end, lower(parts[span.head])
    if end < len(parts) and parts[end] == "of":
        if head in lexicon.POSITIONS:
            return _noun_at(parts, end + 1, end + 1 < len(parts))
        after = _after_of(parts, end)
        if after == end and i > 0:
            return None  # "the outline of his head": the phrase is not whole
        portion = after < len(parts) and parts[after] == "of"
        portion = portion and lower(parts[after - 1]) in lexicon.PORTIONS
        end = _after_of(parts, after) if portion else after
    if span.cut:
        end = min(end, i + MAX_WORDS)  # a sentence may open with a very long product name
    text = " ".join(parts[i:end]).replace(" ,", ",")
    if len(text) > MAX_CHARS or (text.isascii() and len(text) < 3):
        return None
    return Noun(_inside(text, parts, i), head, i, end)


def _after_of(parts: list[str], of: int) -> int:
    if of + 1 >= len(parts) or not is_word(parts[of + 1]) or stops(parts[of + 1]):
        return of
    span = extent(parts, of + 1)
    return span.end if span is not None and not span.cut else of


def _name_starts(parts: list[str], i: int) -> bool:
    # Two capitalised words in a row, not following one: a name such as "Sempione Park".
    if i + 1 >= len(parts) or i == 0:
        return False
    return capital(parts[i]) and capital(parts[i + 1]) and not capital(parts[i - 1])


def _inside(text: str, parts: list[str], i: int) -> str:
    """Write a phrase as it stands inside a sentence: no capital that only began a sentence."""
    first = parts[i]
    if lower(first) in lexicon.ARTICLES:
        return lower(text[0]) + text[1:]
    if not capital(first) or i > 0:
        return text
    word = lower(first)
    following = parts[i + 1] if i + 1 < len(parts) else ""
    common = is_adjective(word) or is_participle(word)
    if is_determiner(word) or (common and "a" <= following[:1] <= "z"):
        return lower(text[0]) + text[1:]
    named = bool(following) and (capital(following) or lower(following) in {"is", "was", "has"})
    named = named or "0" <= following[:1] <= "9"
    named = named and not is_plural(word)
    shouted = len(first) > 1 and first == first.upper()
    return text if named or shouted else lower(text[0]) + text[1:]


def definite(phrase: str) -> str:
    """Refer back to a noun phrase: "a white suit" becomes "the white suit".

    Names stay as they are.
    """
    first, _, rest = phrase.partition(" ")
    if first in {"hundreds", "dozens", "thousands", "scores"}:
        return phrase
    if first == "a" and rest.startswith("few "):
        return f"the {rest[4:]}"
    if first in _INDEFINITE and rest:
        return f"the {rest}"
    if first in {"the", "The", "both", "all"} and rest:
        return f"the {rest}"
    begins_small = "a" <= phrase[:1] <= "z" or "0" <= phrase[:1] <= "9"
    return f"the {phrase}" if begins_small else phrase


def bare(phrase: str) -> str:
    """Drop the article of a noun phrase: "a white suit" becomes "white suit"."""
    first, _, rest = phrase.partition(" ")
    return rest if lower(first) in lexicon.ARTICLES and rest else phrase
