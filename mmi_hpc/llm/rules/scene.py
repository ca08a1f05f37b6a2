"""Turning the sentences of a description into sentences about the scene itself.

A description speaks of a picture ("The picture shows a cat."); an answer speaks of what is
there ("There is a cat."). Fragments without a verb become sentences, cut-off ends are dropped.
"""

from __future__ import annotations

import re

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.nouns import Noun, definite, noun_phrases
from mmi_hpc.llm.rules.text import capitalised, clipped, lower, plain, sentences
from mmi_hpc.llm.rules.verbs import THIRDS, VERBS
from mmi_hpc.llm.rules.words import is_adjective, is_determiner, is_plural, is_word, tokens

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
_BE = lexicon.word_set("is are was were has have had can could will does do")
_POSSESSIVES = lexicon.word_set("its his her their this these")
# Verbs that stand after a noun as its participle: "a cup set on a table".
_PARTICIPLES = lexicon.word_set(
    "shown seen worn set made held parked built drawn found kept left lit cut bound stuck hidden "
    "taken given spread written known stood cast split thrown laid put sat"
)


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
    if not phrase and not _is_fragment(text, nouns):
        return text
    noun = nouns[0].text
    known = definite(noun) == noun
    be = "are" if is_plural(noun) else "is"
    if phrase and _has_verb(tokens(text), nouns):
        return text  # "The picture shows a cat sits" is a sentence once its frame is gone
    return f"{'Here' if known else 'There'} {be} {noun[:1] + text[1:]}"


def _is_fragment(text: str, nouns: list[Noun]) -> bool:
    """Tell whether a text that opens with a noun phrase surely has no verb of its own."""
    parts = tokens(text)
    after = nouns[0].end
    follows = lower(parts[after]) if after < len(parts) else "."
    first = lower(parts[0])
    if not is_determiner(first) and not is_plural(nouns[0].text):
        return False  # "Street clock on a street" lacks more than "There is"
    plausible = follows in lexicon.PREPOSITIONS | _PARTICIPLES | {"that", "which", "who"}
    plausible = plausible or follows in {",", ".", "and", ":", "-", "!"}
    plausible = plausible or follows.endswith(("ing", "ed"))
    return plausible and not _has_verb(parts, nouns)


def _has_verb(parts: list[str], nouns: list[Noun]) -> bool:
    inside = {i for noun in nouns for i in range(noun.start, noun.end)}
    relative = False
    for i, part in enumerate(parts):
        word = lower(part)
        if word in {"that", "which", "who"}:
            relative = True
        elif i in inside:
            continue
        elif relative and (word in VERBS or word in _BE):
            relative = False  # the first verb after "that" belongs to "that"
        elif _is_finite(parts, i):
            return True
    return False


def _is_finite(parts: list[str], i: int) -> bool:
    """Tell whether a word outside the noun phrases may be the verb of a sentence."""
    word = lower(parts[i])
    if word in _BE:
        return True
    before = lower(parts[i - 1]) if i else ""
    after = lower(parts[i + 1]) if i + 1 < len(parts) else "."
    takes_object = is_determiner(after) or after in _POSSESSIVES
    if takes_object and (word in THIRDS or (word.endswith("s") and not word.endswith("ss"))):
        return word not in lexicon.PREPOSITIONS
    # "Set with lights", "of stone walls": behind such a word stands a noun.
    named = before in lexicon.PREPOSITIONS | _POSSESSIVES or is_determiner(before)
    named = (
        named or before.endswith("ing") or (is_adjective(before) and before not in lexicon.COLOURS)
    )
    return i > 0 and not named and word in VERBS and word not in _PARTICIPLES
