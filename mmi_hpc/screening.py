"""What each flag of an answer means, and the rules that judge an answer by its text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import orjson

MEANINGS = {
    "empty": "there is no answer",
    "parse": "remains of a prompt or chat template, JSON that was not asked for or is broken, "
    "an unclosed code block, or broken characters",
    "length": "cut off by the token limit, or outside the limits of words",
    "leakage": "speaks of a description, caption or bounding boxes that the reader cannot see",
    "refusal": "refuses, apologises, or speaks of itself as an AI",
    "echo": "repeats the instruction or the description instead of answering",
    "repetition": "says the same thing again and again",
    # The only one that no text shows: the stage `duplicates` finds it.
    "duplicate": "its image nearly equals an earlier one of the collection",
}

# Template tokens of chat models, and the labels of prompts (ours among them) at a line's start.
# "Description:" is none of them: it heads many an honest listing or fact sheet.
# The blanks before them never reach over a line's end, or many empty lines would take hours.
_TEMPLATE = re.compile(
    r"\[/?INST\]|<\|[a-z_]+\|>|</?s>|<image>"
    r"|^[^\S\n]*(?:(?:USER|ASSISTANT|SYSTEM|Human|Assistant|Instruction|What you see)\s*:"
    r"|###?\s*(?:Instruction|Response|Your turn)\b)",
    re.MULTILINE,
)
# An object with its first key, or a list that starts with a text, an object or a list: lyrics that
# stand between "[Verse 1]" and "[Chorus]" are none.
_OBJECT = re.compile(r"""\s*\{\s*(?:"[^"\n]*"|'[^'\n]*')\s*:""")
_LIST = re.compile(r"""\s*\[\s*["'{\[].*\]\s*\Z""", re.DOTALL)
_BROKEN = re.compile("[\ufffd\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_LEAKAGE = re.compile(
    # "based on the image's description", but not "a brief description of the product"
    r"\b(?:(?:based (?:up)?on|according to|as per|per"
    r"|(?:described|mentioned|stated|noted|given|provided|listed|shown) (?:in|by))"
    r" (?:the|this|your|these) (?:[\w'\u2019-]+ ){0,2}(?:description|caption)s?\b"
    r"|(?:the|this|your|image|text|provided|given) (?:description|caption)s?"
    r" (?:says?|states?|mentions?|describes?|provided|given|indicates?|does)\b"
    r"|(?:provided|given) (?:text(?:ual)? |image )*(?:description|caption)s?\b"
    r"|(?:the|this|your) (?:text(?:ual)? |image )*description\b(?! below)"
    r"|bounding box(?:es)?\b"
    r"|coordinates? \[)"
    # "As described, ..." where a sentence begins
    r"|(?:^[ \t*_#>-]*|(?<=[.!?:] ))as described,"
    # a box: "[0.1, 0.2, 0.5, 0.9]"
    r"|\[\s*(?:(?:0?\.\d+|1\.0+)\s*,\s*){3}(?:0?\.\d+|1\.0+)\s*\]",
    re.IGNORECASE | re.MULTILINE,
)
# An apology counts at the start alone, and "I can't" only with what a model says it cannot do:
# stories, letters and poems say "I'm sorry" and "I can't help but smile", too.
_REFUSAL = re.compile(
    r"\bas an? (?:(?:[a-z-]+ ){0,2}language model\b"
    r"|(?:ai|artificial intelligence)(?: (?:model|assistant|system|chatbot)\b|,| i\b))"
    # "I'm sorry, but ..."
    r"|\A[\s*_#]*(?:unfortunately, )?(?:i(?: am|['\u2019]m) (?:very |so )?(?:sorry|afraid)"
    r"|i apologi[sz]e|(?:my )?apologies|sorry)\b"
    r"[^\n.]{0,30}?(?:\bbut\b|\bi (?:can|am|do)|\bi['\u2019]m)"
    # "I am not able to create ...", "I can't see the image"
    r"|\bi(?: cannot| can['\u2019]t| can not|(?: am|['\u2019]m) (?:unable|not able) to"
    r"| (?:won['\u2019]t|will not) be able to"
    r"| do(?:n['\u2019]t| not) have the (?:ability|capability|capacity) to)"
    r"(?: actually| directly)? (?:provide (?!for)|create\b|generate\b|fulfil|comply\b|assist\b"
    r"|help (?:you|with)\b|answer (?:this|that|your) (?:question|request)"
    # in stories, people "can't do this any more"
    r"|(?<=be able to )do (?:that|this|so)\b"
    r"|(?:see|view|access|open|analy[sz]e|determine|identify|describe)"
    r" (?:\w+ ){0,2}(?:images?|pictures?|photos?|photographs?|attachments?)\b)"
    # letters decline, too: "I must decline your kind invitation"
    r"|\bi must (?:respectfully |politely )?decline\b"
    r"(?! (?:[\w'\u2019-]+ ){1,3}(?:invitation|offer|proposal|position|nomination)\b)"
    r"|\bi do(?:n['\u2019]t| not) have access to\b|\bunable to (?:view|see) (?:the )?image",
    re.IGNORECASE,
)
# Chinese, Japanese and Korean letters, each of which counts as a word: the first two write no
# spaces between words, and the same measure is to hold for all three.
_CJK = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_WORD = re.compile(rf"[{_CJK}]|[^\W{_CJK}]+(?:['\u2019-][^\W{_CJK}]+)*")
_NGRAM = 4


@dataclass(frozen=True)
class Limits:
    """Where measured numbers become flags; see the settings of the stage `screen`."""

    min_words: int
    max_words: int
    max_repetition: float
    max_echo: float


def screen(
    text: str, *, instruction: str, description: str, finish_reason: str, limits: Limits
) -> tuple[tuple[str, ...], dict[str, float]]:
    """Judge the text of one answer.

    Args:
        text: The answer.
        instruction: What was asked.
        description: What was known of the image.
        finish_reason: "length" when the model was cut off.
        limits: Where numbers become flags.

    Returns:
        The flags that apply, in the order of `MEANINGS`, and the measured scores: `words`,
        `repetition` and `echo` (shares between 0 and 1, rounded to four digits).
    """
    words = _WORD.findall(text.casefold())
    scores = {
        "words": float(len(words)),
        "repetition": round(repetition(words), 4),
        "echo": round(echo(words, instruction, description), 4),
    }
    empty = not words
    applies: dict[str, Callable[[], object]] = {
        "empty": lambda: empty,
        "parse": lambda: (
            _TEMPLATE.search(text)
            or _BROKEN.search(text)
            or text.count("```") % 2
            or (not empty and _is_unfit_json(text, instruction))
        ),
        "length": lambda: (
            finish_reason == "length"
            or not (empty or limits.min_words <= len(words) <= limits.max_words)
        ),
        "leakage": lambda: _LEAKAGE.search(text),
        "refusal": lambda: _REFUSAL.search(text),
        "echo": lambda: scores["echo"] > limits.max_echo,
        "repetition": lambda: scores["repetition"] > limits.max_repetition,
    }
    return tuple(flag for flag, is_found in applies.items() if is_found()), scores


def repetition(words: list[str]) -> float:
    """Share of word 4-grams that occurred before; below four words, 0."""
    grams = _ngrams(words)
    return 1 - len(set(grams)) / len(grams) if grams else 0.0


def echo(words: list[str], instruction: str, description: str) -> float:
    """How much of the answer is copied.

    The larger of: the share of its word 4-grams that stand in the instruction, and 1 when the
    whole answer is the description or the instruction itself.
    """
    tidy = " ".join(words)
    for source in (instruction, description):
        if tidy and tidy == " ".join(_WORD.findall(source.casefold())):
            return 1.0
    grams = _ngrams(words)
    asked = set(_ngrams(_WORD.findall(instruction.casefold())))
    return sum(gram in asked for gram in grams) / len(grams) if grams else 0.0


def _is_unfit_json(text: str, instruction: str) -> bool:
    """Whether an answer is JSON as a whole that was not asked for, or JSON that is broken."""
    if not text.lstrip().startswith(("{", "[")):
        return False
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return bool(_OBJECT.match(text) or _LIST.match(text))
    return "json" not in instruction.casefold()


def _ngrams(words: list[str]) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + _NGRAM]) for i in range(len(words) - _NGRAM + 1)]
