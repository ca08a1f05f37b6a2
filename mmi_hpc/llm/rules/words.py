"""What kind of word a token is, by word lists and endings."""

from __future__ import annotations

import re

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.text import TOKEN, lower

_SINGULAR_ENDS = ("ss", "us", "is", "'s", "’s")
_DIGITS = re.compile(r"[0-9]{1,3}", re.ASCII)


def tokens(sentence: str) -> list[str]:
    """Split a sentence into words and single punctuation marks."""
    return TOKEN.findall(sentence)


def is_word(token: str) -> bool:
    """Tell whether a token is a word or a number rather than a punctuation mark."""
    return len(token) > 1 or TOKEN.fullmatch(token + "a") is not None


def capital(token: str) -> bool:
    """Tell whether a token is capitalised as a name is."""
    return "A" <= token[0] <= "Z" and lower(token) not in lexicon.FUNCTION_WORDS


def is_count(word: str) -> bool:
    """Tell whether a lower-case word counts two or more: "two", "thirty-five", "12"."""
    if _DIGITS.fullmatch(word):
        return word not in {"0", "1"}
    tens, _, ones = word.partition("-")
    if tens in lexicon.TENS:
        return not ones or ones in lexicon.NUMBERS
    return word in lexicon.NUMBERS[2:] or word in lexicon.TEENS


def is_determiner(word: str) -> bool:
    """Tell whether a noun phrase may begin at a lower-case word because of what it is."""
    return word in lexicon.DETERMINERS or (is_count(word) and not word.isdigit())


def is_participle(word: str) -> bool:
    """Tell whether a lower-case word has a participle's ending and is no noun."""
    is_ing = word.endswith("ing") and len(word) > 4 and word not in lexicon.ING_NOUNS
    return is_ing or (word.endswith("ed") and len(word) > 3 and word not in lexicon.ED_NOUNS)


def looks_plural(word: str) -> bool:
    """Tell whether a lower-case word has the form of a plural noun."""
    if word in lexicon.PLURALS:
        return True
    ends = word.endswith("s") and len(word) > 2 and not word.endswith(_SINGULAR_ENDS)
    return ends and word not in lexicon.SINGULARS


def is_adjective(word: str) -> bool:
    """Tell whether a lower-case word describes a noun and is none itself; no participles."""
    if word in lexicon.COLOURS or word in lexicon.ADJECTIVES or word in lexicon.ORDINALS:
        return True
    first, _, last = word.rpartition("-")
    if first:
        if last in lexicon.COLOURS or last in lexicon.COMPOUND_ENDS or is_participle(last):
            return True
        return last in lexicon.ADJECTIVES
    return word.endswith(lexicon.ADJECTIVE_ENDS) and word not in lexicon.END_NOUNS


def is_plural(phrase: str) -> bool:
    """Tell whether a noun phrase takes "are"."""
    parts = phrase.split(" of ", 1)[0].split()
    if not parts:
        return False
    first, last = lower(parts[0]), lower(parts[-1])
    if first in {"a", "an", "one", "another"}:
        # "A few bricks", "a dozen eggs" count; "a crowd of people" does not.
        return len(parts) > 2 and lower(parts[1]) in {"few", "dozen", "couple"}
    if first == "the" and len(parts) > 2:
        first = lower(parts[1])
    counted = first in lexicon.QUANTIFIERS - {"some"} or (is_count(first) and "-" not in last)
    return (
        (counted and len(parts) > 1)
        or looks_plural(last)
        or (" and " in f" {phrase} " and (_joins_nouns(parts)))
    )


def _joins_nouns(parts: list[str]) -> bool:
    """Tell "a cat and a dog" from "a brown and cream cat"."""
    at = parts.index("and") if "and" in parts else 0
    before = lower(parts[at - 1])
    return at > 0 and not (is_adjective(before) or is_participle(before))
