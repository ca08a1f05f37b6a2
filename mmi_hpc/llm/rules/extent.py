"""Where a noun phrase ends: its adjectives, its noun, and the verb that is not part of it.

English verbs and plural nouns share the ending -s, so the phrase's determiner decides: after
"a" a word in -s behind the noun is a verb ("a bud peeks"), after "two" it is the noun itself
("two steel towers"), and behind a plural noun nothing more belongs to the phrase.
"""

from __future__ import annotations

from dataclasses import dataclass

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.text import lower
from mmi_hpc.llm.rules.verbs import BASES, COMPOUND_HEADS, PLURAL_HEADS, THIRDS, VERBS
from mmi_hpc.llm.rules.words import (
    capital,
    is_adjective,
    is_count,
    is_determiner,
    is_participle,
    is_word,
    looks_plural,
)

MAX_WORDS = 7  # capitalised words, which make long product names, count half

_SINGULAR = lexicon.word_set("a an one another each")
_PLURAL = lexicon.QUANTIFIERS - {"some"}
_POSSESSIVES = lexicon.word_set("its his her their this these those each every my your our")
_BE = lexicon.word_set("is are was were has have had can will")


@dataclass(frozen=True)
class Extent:
    """Where a phrase ends, where its noun stands, and whether it was cut for its length."""

    end: int
    head: int
    cut: bool


def stops(token: str) -> bool:
    """Tell whether no noun phrase begins at a token or runs across it."""
    word = lower(token)
    if word.partition("'")[0] in lexicon.PRONOUNS:
        return True
    return word in lexicon.PREPOSITIONS or word in lexicon.FUNCTION_WORDS


def extent(parts: list[str], i: int) -> Extent | None:
    """Find the end of the noun phrase that begins at a token.

    Args:
        parts: The tokens of a sentence.
        i: Index of the phrase's first token.

    Returns:
        Its extent, or None where no sound noun follows.
    """
    start, number = _determiner(parts, i)
    head, j, size = -1, start, 2 * (start - i)
    while j < len(parts):
        size += 1 if capital(parts[j]) else 2
        if size > 2 * MAX_WORDS:
            return _whole(parts, head, number, True) if head >= 0 else None
        if head < 0 and j > start and _joins(parts, j):
            j += 1
            continue
        if _ends(parts, i, j, head, number):
            break
        if not _describes(parts, j):
            head = j
        j += 1
    last = lower(parts[j - 1])
    if head < 0 and j > start and (last in lexicon.NOUNISH or last.endswith(("ic", "al"))):
        head = j - 1
    return _whole(parts, head, number, False) if head >= 0 else None


def _determiner(parts: list[str], i: int) -> tuple[int, str]:
    """Return the index after the determiner and the number that it demands ("" for any)."""
    word = lower(parts[i])
    following = lower(parts[i + 1]) if i + 1 < len(parts) else ""
    if not is_determiner(word) and not is_count(word):
        return i, ""
    if word in {"a", "an"} and following in {"few", "dozen"}:
        return i + 2, "plural"
    if word == "the" and (following in _PLURAL or is_count(following)):
        return i + 2, "plural"
    if word in _SINGULAR:
        return i + 1, "singular"
    return i + 1, "plural" if word in _PLURAL or is_count(word) else ""


def _whole(parts: list[str], head: int, number: str, cut: bool) -> Extent | None:
    plural = looks_plural(lower(parts[head]))
    named = capital(parts[head])
    if number == "plural" and not plural and not named and parts[head].isascii():
        return None
    if number == "singular" and plural and lower(parts[head]) not in lexicon.PLURALS and not named:
        return None
    return Extent(head + 1, head, cut)


def _joins(parts: list[str], j: int) -> bool:
    """Tell whether "," or "and" stands between two adjectives of the same noun."""
    if parts[j] not in {",", "and"} or not _describes(parts, j - 1):
        return False
    if is_determiner("".join(parts[j + 1 : j + 2])) or parts[j - 1].endswith("ly"):
        return False
    # "An oval, brightest at its rim, ...": after a comma a superlative starts anew.
    fresh = parts[j] == "," and "".join(parts[j + 1 : j + 2]).endswith("est")
    return _describes(parts, j + 1) and not fresh


def _ends(parts: list[str], i: int, j: int, head: int, number: str) -> bool:
    token = parts[j]
    word = lower(token)
    if not is_word(token) or stops(token):
        return True
    if head < 0:
        return word in VERBS and j > i and _acts_alone(parts, i, j, number)
    if is_determiner(word) and word != "one":
        return True
    if capital(token):
        return False
    before = lower(parts[j - 1])
    if (
        looks_plural(before)
        and before not in lexicon.PLURAL_MODIFIERS
        and not capital(parts[j - 1])
    ):
        return True
    if is_participle(word):
        return not _flavoured(parts, j)
    if word.endswith("ly") and word not in lexicon.END_NOUNS:
        return True
    return _is_verb(parts, i, j, number)


def _acts_alone(parts: list[str], i: int, j: int, number: str) -> bool:
    """Tell whether the verb-like word at j follows a phrase that has no noun of its own."""
    before = lower(parts[j - 1])
    after = lower(parts[j + 1]) if j + 1 < len(parts) else "."
    if is_determiner(after) or after in _POSSESSIVES:
        return True  # "of crushed stone cover the ground"
    # "In an even dark gray run from ...": the colour was the noun.
    if before in lexicon.COLOURS and i > 0 and lower(parts[i - 1]) == "in":
        return number == "singular"
    # "The largest sit", "at the right stand": a place or a rank stood for the noun.
    ranked = before.endswith("est") or before in lexicon.ORDINALS | lexicon.POSITIONS
    return ranked and number == "" and lower(parts[j]) in BASES


def _flavoured(parts: list[str], j: int) -> bool:
    """Tell "a fruit flavored donut" from "a table covered with food"."""
    if not parts[j].endswith("ed") or j + 1 >= len(parts):
        return False
    after = lower(parts[j + 1])
    plain = is_word(after) and not stops(after) and not is_determiner(after)
    return plain and not is_adjective(after) and not capital(parts[j + 1]) and after not in VERBS


def _is_verb(parts: list[str], i: int, j: int, number: str) -> bool:
    """Tell whether the lower-case word at j, behind a noun, is the verb of a clause."""
    word = lower(parts[j])
    after = lower(parts[j + 1]) if j + 1 < len(parts) else "."
    before = lower(parts[i - 1]) if i else ""
    if looks_plural(word):
        if number == "singular":
            return True
        if number == "plural" or after in _BE or (after in BASES):
            return False
        if word in PLURAL_HEADS and not is_determiner(lower(parts[i])):
            return is_determiner(after) or after in _POSSESSIVES
        return word in THIRDS or is_determiner(after) or after in _POSSESSIVES
    if word not in VERBS or word in THIRDS:
        return word in VERBS
    if word not in BASES or word not in COMPOUND_HEADS or number == "plural":
        return word not in BASES or word not in COMPOUND_HEADS
    if is_determiner(after) or after in _POSSESSIVES or after in lexicon.COLOURS:
        return True
    # "Floodlights near the ground glow": the noun before it may belong to a side phrase.
    side = before in lexicon.PREPOSITIONS or before == "and"
    return side and after not in {".", ",", "and", ";", "!", "is", "are", "with"}


def _describes(parts: list[str], j: int) -> bool:
    """Tell whether a token colours a noun (adjective, participle, adverb) and is none itself."""
    if j >= len(parts):
        return False
    word = lower(parts[j])
    if is_adjective(word) or is_determiner(word):
        return True
    return is_participle(word) and not capital(parts[j])
