"""Turning the sentences of a description into sentences about the scene itself.

A description speaks of a picture ("The picture shows a cat."); an answer speaks of what is
there ("There is a cat."). Fragments without a verb become sentences, cut-off ends are dropped.
"""

from __future__ import annotations

import re

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.nouns import definite, is_plural, is_word, noun_phrases, tokens
from mmi_hpc.llm.rules.text import capitalised, clipped, lower, plain, sentences

_PICTURE = r"(?:picture|image|photo|photograph|illustration|close-up view|shot|snapshot)s?"
_SHOWS = r"(?:shows?|showcases?|displays?|depicts?|features?|captures?|presents?|illustrates?)"
# A frame whose removal leaves a phrase without a verb: "The picture shows X", "X is pictured".
_PHRASE_RULES = (
    rf"^(?:this|the) (?:[\w'’-]+ ){{0,4}}{_PICTURE}(?: (?:of|by) [^,.]{{1,40}})?"
    rf"(?:, [^,]{{1,80}},[\"”]?)? {_SHOWS} (?:that )?",
    rf"^(?:this|here|it) is an? (?:[\w'’-]+ ){{0,2}}{_PICTURE} of ",
    rf",? (?:is|are) (?:depicted|shown|seen|pictured|displayed) in (?:this|the|a) {_PICTURE}\.?$",
)
_OTHER_RULES = (
    (rf"^in (?:this|the) {_PICTURE}, ", ""),
    (rf",? (?:as )?(?:depicted|shown|seen|pictured) in (?:this|the|a) {_PICTURE}(?=[,.]|$),?", ""),
    (rf"^(below|above|behind) the {_PICTURE} (?=is|are)", r"\1 "),
    (rf"^(below|above|behind) the {_PICTURE}, ", r"\1, "),
    (rf" (?:of|in) (?:this|the) {_PICTURE}(?= |,|\.|$)(?! in )", ""),
)
_FLAGS = re.IGNORECASE | re.ASCII
_PHRASE_FRAMES = tuple(re.compile(pattern, _FLAGS) for pattern in _PHRASE_RULES)
_OTHER_FRAMES = tuple((re.compile(pattern, _FLAGS), new) for pattern, new in _OTHER_RULES)
_RELATIVE = re.compile(r"\b(?:that|which|who)\s+\w+", re.ASCII)
_FINITE = lexicon.VERBS | lexicon.word_set("is are was were has have had can could will does do")


def scene_sentences(description: str) -> tuple[str, ...]:
    """Rewrite a description as complete sentences about the scene, in order, none twice.

    Args:
        description: Any text.

    Returns:
        Sentences that begin with a capital where their script has one and end with an end mark.
    """
    raw = [sentence for sentence in sentences(plain(description)) if _has_content(sentence)]
    closed = [sentence.rstrip("\"'”’)").endswith((".", "!", "?", "。")) for sentence in raw]
    if len(raw) > 1 and any(closed) and not closed[-1]:
        raw.pop()  # a captioner that ran out of tokens stops in the middle of a thought
    seen: dict[str, str] = {}
    for sentence in raw:
        done = _as_sentence(*_without_frame(sentence))
        if done:
            seen.setdefault(lower(done), done)
    return tuple(seen.values())


def _has_content(sentence: str) -> bool:
    return any(is_word(token) for token in tokens(sentence))


def _without_frame(sentence: str) -> tuple[str, bool]:
    """Drop talk of the picture; also tell whether only a phrase is left."""
    phrase = False
    for pattern in _PHRASE_FRAMES:
        sentence, count = pattern.subn("", sentence)
        phrase = phrase or count > 0
    for pattern, replacement in _OTHER_FRAMES:
        sentence = pattern.sub(replacement, sentence)
    return " ".join(sentence.split()).lstrip(" ,;"), phrase


def _as_sentence(text: str, phrase: bool) -> str:
    if not _has_content(text):
        return ""
    return capitalised(clipped(_with_verb(text, phrase)))


def _with_verb(text: str, phrase: bool) -> str:
    """Put "There is" or "Here is" before a phrase that has no verb of its own."""
    if lower(tokens(text)[0]) in {"there", "here", "this", "these", "it", "he", "she", "they"}:
        return text
    nouns = noun_phrases(text)
    if not nouns or nouns[0].start > 0:
        return f"Here is {text}" if phrase else text
    if not phrase and not _is_fragment(text, nouns[0].end):
        return text
    noun = nouns[0].text
    known = definite(noun) == noun
    be = "are" if is_plural(noun) else "is"
    return f"{'Here' if known else 'There'} {be} {noun[:1] + text[1:]}"


def _is_fragment(text: str, after: int) -> bool:
    rest = tokens(text)[after:]
    if rest and lower(rest[0]) in {"that", "which", "who"}:
        rest = tokens(_RELATIVE.sub("", " ".join(rest), count=1))
    follows = lower(rest[0]) if rest else "."
    plausible = follows in lexicon.PREPOSITIONS or follows in {",", ".", "and", ":", "-", "!"}
    plausible = plausible or follows.endswith(("ing", "ed")) or not rest
    plausible = plausible or follows in {"shown", "seen", "worn", "set", "made", "held", "parked"}
    plausible = plausible or len(rest) == len(tokens(text)[after:]) - 2
    return plausible and not any(lower(token) in _FINITE for token in rest)
