"""Noun phrases found by word lists: where one begins, where it ends, and how to refer to it.

A phrase begins at an article, a quantifier, a colour or the start of a sentence and ends before
the first preposition, verb or punctuation mark. `... of ...` may extend it once.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.text import TOKEN, lower

_INDEFINITE = lexicon.word_set("a an one some several various numerous many another")
MAX_WORDS = 7  # capitalised words, which make long product names, count half
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


def tokens(sentence: str) -> list[str]:
    """Split a sentence into words and single punctuation marks."""
    return TOKEN.findall(sentence)


def is_word(token: str) -> bool:
    """Tell whether a token is a word or a number rather than a punctuation mark."""
    return len(token) > 1 or TOKEN.fullmatch(token + "a") is not None


def noun_phrases(sentence: str) -> list[Noun]:
    """Find the noun phrases of a sentence from left to right.

    Args:
        sentence: One sentence.

    Returns:
        The phrases, none overlapping another.
    """
    parts = tokens(sentence)
    quoted = _quoted(parts)
    found: list[Noun] = []
    i = 0
    while i < len(parts):
        noun = None if quoted[i] else _noun_at(parts, i, _opens(parts, i))
        if noun is not None:
            found.append(noun)
            i = noun.end
        else:
            i += 1
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
    if i == 0:
        return not _is_participle(word)
    known = word in lexicon.DETERMINERS or word in lexicon.COLOURS
    return known or _name_starts(parts, i)


def _noun_at(parts: list[str], i: int, opens: bool) -> Noun | None:
    if not opens or not is_word(parts[i]) or _stops(parts[i], False):
        return None
    end, head_at, cut = _extent(parts, i)
    if head_at < 0 or (cut and i > 0):
        return None
    head = lower(parts[head_at])
    if end < len(parts) and parts[end] == "of":
        if head in lexicon.POSITIONS:
            return _noun_at(parts, end + 1, end + 1 < len(parts))
        after = _after_of(parts, end)
        if after == end and i > 0:
            return None  # "the outline of his head": the phrase is not whole
        end = after
    if cut:
        end = min(end, i + MAX_WORDS)  # a sentence may open with a very long product name
    text = " ".join(parts[i:end]).replace(" ,", ",")
    if len(text) > MAX_CHARS or (text.isascii() and len(text) < 3):
        return None
    return Noun(_inside(text, parts, i), head, i, end)


def _name_starts(parts: list[str], i: int) -> bool:
    # Two capitalised words in a row, not following one: a name such as "Sempione Park".
    if i + 1 >= len(parts) or i == 0:
        return False
    return _capital(parts[i]) and _capital(parts[i + 1]) and not _capital(parts[i - 1])


def _capital(token: str) -> bool:
    return "A" <= token[0] <= "Z" and lower(token) not in lexicon.FUNCTION_WORDS


def _extent(parts: list[str], i: int) -> tuple[int, int, bool]:
    """Return where the phrase at i ends, the index of its noun or -1, and whether it was cut."""
    head = -1
    j = i + 1 if lower(parts[i]) in lexicon.DETERMINERS else i
    size = 2 * (j - i)
    while j < len(parts):
        size += 1 if _capital(parts[j]) else 2
        if size > 2 * MAX_WORDS:
            return (head + 1, head, True) if head >= 0 else (j, -1, True)
        token = parts[j]
        if head < 0 and token in {",", "and"} and j > i + 1 and _describes(parts, j + 1):
            j += 1
            continue
        if not is_word(token) or _stops(token, head >= 0):
            break
        if not _describes(parts, j):
            head = j
        j += 1
    if head < 0 and j - 1 > i and lower(parts[j - 1]) in lexicon.NOUNISH:
        head = j - 1
    return (head + 1, head, False) if head >= 0 else (j, -1, False)


def _stops(token: str, has_noun: bool) -> bool:
    word = lower(token)
    if word.partition("'")[0] in lexicon.PRONOUNS:
        return True
    if word in lexicon.PREPOSITIONS or word in lexicon.FUNCTION_WORDS:
        return True
    if word in lexicon.DETERMINERS and word != "one":
        return has_noun
    if not has_noun or _capital(token):
        return False
    return word in lexicon.VERBS or word.endswith("ly") or _is_participle(word)


def _is_participle(word: str) -> bool:
    is_ing = word.endswith("ing") and len(word) > 4 and word not in lexicon.ING_NOUNS
    return is_ing or (word.endswith("ed") and len(word) > 3 and word not in lexicon.ED_NOUNS)


def _describes(parts: list[str], j: int) -> bool:
    """Tell whether a token colours a noun (adjective, participle, adverb) and is none itself."""
    if j >= len(parts):
        return False
    word = lower(parts[j])
    if word in lexicon.COLOURS or word in lexicon.ADJECTIVES or word in lexicon.DETERMINERS:
        return True
    if word.endswith(("ly", "ous", "ful", "less", "ible")):
        return True
    return _is_participle(word) and not _capital(parts[j])


def _after_of(parts: list[str], of: int) -> int:
    if of + 1 >= len(parts) or not is_word(parts[of + 1]) or _stops(parts[of + 1], False):
        return of
    end, head, cut = _extent(parts, of + 1)
    return end if head >= 0 and not cut else of


def _inside(text: str, parts: list[str], i: int) -> str:
    """Write a phrase as it stands inside a sentence: no capital that only began a sentence."""
    first = parts[i]
    if lower(first) in lexicon.ARTICLES:
        return lower(text[0]) + text[1:]
    if not _capital(first) or i > 0:
        return text
    word = lower(first)
    following = parts[i + 1] if i + 1 < len(parts) else ""
    common = word in lexicon.COLOURS or word in lexicon.ADJECTIVES
    if word in lexicon.DETERMINERS or (common and "a" <= following[:1] <= "z"):
        return lower(text[0]) + text[1:]
    named = bool(following) and (_capital(following) or lower(following) in {"is", "was", "has"})
    named = named or "0" <= following[:1] <= "9"
    named = named and not is_plural(word)
    shouted = len(first) > 1 and first == first.upper()
    return text if named or shouted else lower(text[0]) + text[1:]


def is_plural(phrase: str) -> bool:
    """Tell whether a noun phrase takes "are"."""
    parts = phrase.split(" of ", 1)[0].split()
    if not parts:
        return False
    first, last = lower(parts[0]), lower(parts[-1])
    if first in {"a", "an", "one", "another"}:
        return False
    if first in lexicon.QUANTIFIERS or last in lexicon.PLURALS:
        return True
    ends = last.endswith("s") and not last.endswith(("ss", "us", "is", "'s", "’s"))
    return ends and last not in lexicon.SINGULARS


def definite(phrase: str) -> str:
    """Refer back to a noun phrase: "a white suit" becomes "the white suit".

    Names stay as they are.
    """
    first, _, rest = phrase.partition(" ")
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
