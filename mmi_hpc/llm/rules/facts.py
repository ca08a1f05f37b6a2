"""What a description says, taken apart: sentences, main subject, other things, colours, place."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.nouns import Noun, definite, noun_phrases
from mmi_hpc.llm.rules.scene import scene_sentences
from mmi_hpc.llm.rules.text import clipped, lower, size, squeeze
from mmi_hpc.llm.rules.verbs import VERBS
from mmi_hpc.llm.rules.words import (
    capital,
    is_determiner,
    is_plural,
    is_word,
    looks_plural,
    tokens,
)

MAX_THINGS = 10
_EMPTY_SUBJECT = "the main subject"
_FILLERS = ("the setting", "the small details", "the overall mood")
_YEAR = re.compile(r"\b1[0-9]{3}\b|\b20[0-9]{2}\b", re.ASCII)
# Before a comparison ("like a rosette") and before what a sign says, no thing of the scene.
_NOT_THERE = lexicon.word_set("like as reads read reading says saying labeled labelled titled than")
_QUOTES = lexicon.word_set("words reads says")
_PLACE_PREPOSITIONS = lexicon.word_set("on in at by near along through beside under across")


@dataclass(frozen=True)
class Scene:
    """The facts of one description, each a phrase of it.

    Attributes:
        text: The description on one line, cleaned; also the key of every choice of wording.
        sentences: Sentences about the scene, in the description's order.
        subject: The main noun phrase as first mentioned ("a model").
        things: Other noun phrases, in order, none twice.
        colours: Colour words in order of appearance.
        place: Where it happens, as a phrase that begins with a space (" on the runway"), or "".
        years: Years that are named.
        person: Whether the subject is a person or several.
    """

    text: str
    sentences: tuple[str, ...]
    subject: str
    things: tuple[str, ...]
    colours: tuple[str, ...]
    place: str
    years: tuple[str, ...]
    person: bool

    @property
    def plural(self) -> bool:
        """Whether the subject takes "are"."""
        return is_plural(self.subject)

    @property
    def the_subject(self) -> str:
        """The subject as something already known ("the model")."""
        return definite(self.subject)

    def the_thing(self, index: int) -> str:
        """The index-th other thing as known ("the white suit"), or a neutral stand-in."""
        if index < len(self.things):
            return definite(self.things[index])
        return _FILLERS[(index - len(self.things)) % len(_FILLERS)]

    def beginning(self, words: int) -> tuple[str, ...]:
        """The first sentences of at most so many words together, and at least one."""
        kept: list[str] = []
        for sentence in self.sentences:
            words -= size(sentence)
            if kept and words < 0:
                break
            kept.append(sentence)
        return tuple(kept)


def read(description: str) -> Scene:
    """Take a description apart.

    Args:
        description: Any text, also an empty or a hostile one.

    Returns:
        Its facts; with nothing to read, a neutral subject and empty lists.
    """
    text = squeeze(description)
    sentences = scene_sentences(description)
    nouns = [_usable(sentence) for sentence in sentences]
    subject, head = _subject(sentences, nouns)
    return Scene(
        text=text,
        sentences=sentences,
        subject=subject,
        things=_things([noun for group in nouns for noun in group], subject, head),
        colours=_colours(sentences),
        place=_place(sentences),
        years=tuple(dict.fromkeys(_YEAR.findall(text)))[:4],
        person=head in lexicon.PEOPLE,
    )


def focused(scene: Scene, instruction: str) -> Scene:
    """Turn to the thing that an instruction names: its "hats" make "a hat" the subject."""
    asked = {stem(token) for token in tokens(instruction) if len(token) > 2}
    asked -= {stem(word) for word in lexicon.POSITIONS}
    if stem(scene.subject) in asked:
        return scene
    for thing in scene.things:
        if stem(thing) in asked:
            others = tuple(t for t in (scene.subject, *scene.things) if t != thing)
            person = lower(thing.rsplit(" ", 1)[-1]) in lexicon.PEOPLE
            return replace(scene, subject=thing, things=others, person=person)
    return scene


def stem(phrase: str) -> str:
    """Return the last word of a phrase in lower case and without a plural s."""
    word = lower(phrase.rsplit(" ", 1)[-1])
    return word[:-1] if word.endswith("s") and not word.endswith("ss") else word


def _usable(sentence: str) -> list[Noun]:
    parts = tokens(sentence)
    return [noun for noun in noun_phrases(sentence) if _is_thing(parts, noun)]


def _is_thing(parts: list[str], noun: Noun) -> bool:
    """Tell whether a phrase names something in view that can be spoken of by itself."""
    portioned = noun.head in lexicon.PORTIONS and " of " in noun.text
    if noun.head in lexicon.POSITIONS or (noun.head in lexicon.EMPTY_HEADS and not portioned):
        return False
    before = [lower(part) for part in parts[: noun.start]]
    if before and before[-1] in _NOT_THERE and before[-2:] != ["such", "as"]:
        return False
    if noun.text in lexicon.IDIOMS or _is_written(parts, noun):
        return False
    # "The handlebars, round headlight and ...", "on quiet street": half of a phrase.
    opener = parts[noun.start]
    whole = is_determiner(lower(opener)) or capital(opener) or not opener.isascii()
    opens = not before or before[-1] in {"is", "are"}
    whole = whole or opens or looks_plural(noun.head) or noun.head in lexicon.MASS_NOUNS
    return whole and not _belongs_to_unnamed(before)


def _is_written(parts: list[str], noun: Noun) -> bool:
    """Tell whether a phrase is writing: "the word YAMAHA", or what follows "the words"."""
    if {"word", "words", "letters"} & set(lower(noun.text).split()):
        return True
    if _is_shouted(noun.text) and noun.start > 0:
        return True
    comma = max((i for i in range(noun.start) if parts[i] in {",", ";", ":"}), default=0)
    quotes = range(comma, noun.start - 1)
    return any(parts[i] in _QUOTES and capital(parts[i + 1]) for i in quotes)


def _is_shouted(text: str) -> bool:
    """Tell whether a phrase is one word in capitals, which most often stands on a sign."""
    return " " not in text and text.isupper() and text.isascii()


def _belongs_to_unnamed(before: list[str]) -> bool:
    """Tell whether a clause speaks of parts of things not named in it: "most show a head"."""
    clause = before[len(before) - before[::-1].index(",") :] if "," in before else before
    while clause and clause[0] in {"and", "while", "but", "the"}:
        clause = clause[1:]
    if not clause or clause[0] not in {"most", "some", "one", "others", "each"}:
        return False
    follows = clause[1] if len(clause) > 1 else "."
    return follows in VERBS or follows in lexicon.PREPOSITIONS or follows in {"has", "have"}


def _subject(sentences: tuple[str, ...], nouns: list[list[Noun]]) -> tuple[str, str]:
    if not sentences:
        return _EMPTY_SUBJECT, "subject"
    opening = nouns[0]
    first_token = lower(tokens(sentences[0])[0])
    if first_token in lexicon.PREPOSITIONS:
        # "On a striped tablecloth, a glass is placed": the subject follows the comma.
        parts = tokens(sentences[0])
        comma = parts.index(",") if "," in parts else 0
        opening = [noun for noun in opening if noun.start > comma] or opening
        acting = [noun for noun in opening if _acts(parts, noun)]
        opening = [*acting, *opening]
    for noun in [*opening, *(noun for group in nouns[1:] for noun in group)]:
        return noun.text, noun.head
    return _whole(sentences[0]), ""


def _acts(parts: list[str], noun: Noun) -> bool:
    """Tell whether a verb follows the phrase, or "there is" stands before it."""
    following = lower(parts[noun.end]) if noun.end < len(parts) else ""
    there = noun.start > 1 and lower(parts[noun.start - 2]) == "there"
    return there or following in VERBS | {"is", "are", "was", "were", "can", "has", "("}


def _whole(sentence: str) -> str:
    """Stand in for the subject of a sentence in which no noun phrase was found."""
    short = clipped(sentence, 6, 40).rstrip(".。!?！？\"'”’")
    return short if any(is_word(token) for token in tokens(short)) else _EMPTY_SUBJECT


def _things(nouns: list[Noun], subject: str, head: str) -> tuple[str, ...]:
    taken = {lower(definite(subject))}
    heads = {stem(head), stem(subject)}
    kept: list[str] = []
    for noun in nouns:
        key = lower(definite(noun.text))
        # One phrase per noun: "a hat" and "the colourful hat" are likely the same hat.
        named = {stem(noun.head), stem(noun.text)}
        if _is_shouted(noun.text):
            continue
        if key in taken or named & heads or len(noun.head) < 2 or noun.head[0] in "0123456789":
            continue
        taken.add(key)
        heads |= named
        kept.append(noun.text)
    return tuple(kept[:MAX_THINGS])


def _colours(sentences: tuple[str, ...]) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for sentence in sentences:
        parts = tokens(sentence)
        for i, token in enumerate(parts):
            # A capital inside a sentence belongs to a name: "Maroon 5", "Gray Street".
            opens = i == 0 and "a" <= "".join(parts[1:2])[:1] <= "z"
            if token in lexicon.COLOURS or (opens and lower(token) in lexicon.COLOURS):
                seen.setdefault(lower(token))
    return tuple(seen)[:4]


def _place(sentences: tuple[str, ...]) -> str:
    for sentence in sentences:
        parts = tokens(sentence)
        for noun in noun_phrases(sentence):
            before = lower(parts[noun.start - 1]) if noun.start else ""
            if noun.head in lexicon.PLACES and before in _PLACE_PREPOSITIONS:
                return f" {before} {definite(noun.text)}"
    return ""
