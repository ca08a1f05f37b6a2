"""What a genre writer gets: the scene, and wording drawn for this scene and instruction alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.choice import pick
from mmi_hpc.llm.rules.facts import Scene
from mmi_hpc.llm.rules.text import capitalised, lower
from mmi_hpc.llm.rules.words import is_count, is_plural

BODY_WORDS = 75
"""Words of the scene's own sentences that one answer uses; the framing adds about as many."""

MOST_ASKED = 10
"""Most questions, tags or stanzas that one answer gives, however many are asked for."""

_COUNT = "|".join(lexicon.NUMBERS[2:11]) + "|10|[2-9]"
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_LIMIT = re.compile(
    r"\b(?:at most|under|no more than|fewer than|less than|up to|about|within|maximum of) "
    rf"(?:a |one )?([1-9][0-9]{{1,2}}|hundred|(?:{'|'.join(_TENS)})(?:-[a-z]+)?) words\b",
    re.ASCII,
)
_NEUTRAL = "The scene keeps its secrets, and that is part of its charm."


@dataclass(frozen=True)
class Brief:
    """One writing job.

    Attributes:
        scene: The facts of the image.
        instruction: The instruction, on one line.
        seed: The run's seed; with scene and instruction it fixes every choice of wording.
    """

    scene: Scene
    instruction: str
    seed: int

    def pick(self, slot: str, *variants: str) -> str:
        """Choose the wording of one slot of the text."""
        return pick(variants, self.seed, slot, self.instruction, self.scene.text)

    def mentions(self, *stems: str) -> bool:
        """Tell whether the instruction contains one of these lower-case stems."""
        instruction = lower(self.instruction)
        return any(stem in instruction for stem in stems)

    def asked(self, nouns: str, otherwise: int) -> int:
        """The number, two to ten, before one of these nouns: 5 for "a quiz of five questions".

        Args:
            nouns: Alternatives of a regular expression, such as "questions|headlines".
            otherwise: What counts where the instruction gives no number.
        """
        pattern = rf"\b({_COUNT})[ -](?:[a-z,-]+ ){{0,3}}(?:{nouns})\b"
        match = re.search(pattern, lower(self.instruction), re.ASCII)
        if match is None:
            return otherwise
        word = match.group(1)
        return int(word) if word.isdigit() else min(MOST_ASKED, lexicon.NUMBERS.index(word))

    @property
    def object(self) -> str:
        """What can be bought, sold or used: the subject, or the first thing beside a person."""
        if not _is_person(self.scene.subject):
            return self.subject
        lifeless = (i for i, thing in enumerate(self.scene.things) if not _is_person(thing))
        return self.thing(next(lifeless, 0))

    @property
    def counted(self) -> tuple[str, ...]:
        """The phrases that say how many there are: "two domes"."""
        phrases = (self.scene.subject, *self.scene.things)
        return tuple(p for p in phrases if is_count(lower(p.split(" ", 1)[0])) and is_plural(p))

    @property
    def subject(self) -> str:
        """The subject as known, inside a sentence: "the model"."""
        return self.scene.the_subject

    @property
    def Subject(self) -> str:
        """The subject as known, at the start of a sentence: "The model"."""
        return capitalised(self.scene.the_subject)

    @property
    def place(self) -> str:
        """Where it happens, with a space before it: " on the runway", or ""."""
        return self.scene.place

    @property
    def lead(self) -> str:
        """The first sentence about the scene."""
        return self.scene.sentences[0] if self.scene.sentences else _NEUTRAL

    def rest(self, words: int = BODY_WORDS) -> str:
        """The sentences after the lead that fit into a budget that the lead shares; maybe ""."""
        return " ".join(self.scene.beginning(words)[1:])

    def body(self, words: int = BODY_WORDS) -> str:
        """The lead and the rest as one paragraph."""
        return f"{self.lead} {self.rest(words)}".strip()

    def be(self, singular: str = "is", plural: str = "are") -> str:
        """The form of a verb that agrees with the subject."""
        return plural if self.scene.plural else singular

    def thing(self, index: int) -> str:
        """The index-th other thing, as known: "the white suit"."""
        return self.scene.the_thing(index)

    def Thing(self, index: int) -> str:
        """The index-th other thing at the start of a sentence: "The white suit"."""
        return capitalised(self.scene.the_thing(index))

    def does(self, index: int, singular: str, plural: str) -> str:
        """The form of a verb that agrees with the index-th other thing."""
        return plural if is_plural(self.scene.the_thing(index)) else singular

    def listed(self, count: int = 3) -> str:
        """Some other things in one breath: "a white suit, a spotlight and the floor"."""
        things = self.scene.things[:count]
        return listing(things if len(things) > 1 else (self.thing(0), self.thing(1)))

    def bullets(self, count: int = 5) -> str:
        """Other things as a Markdown list."""
        things = self.scene.things[:count] or (self.subject,)
        return "\n".join(f"- {capitalised(thing)}" for thing in things)

    @property
    def hues(self) -> str:
        """The colours as a sentence about the main ones, or ""."""
        be = "colour is" if len(self.scene.colours) == 1 else "colours are"
        return self.colours(f"The main {be} ", ".")

    def colours(self, before: str = "", after: str = "", otherwise: str = "") -> str:
        """The colours between two texts, or a text for a scene that names none."""
        colours = self.scene.colours
        return f"{before}{listing(colours)}{after}" if colours else otherwise


def listing(items: tuple[str, ...]) -> str:
    """Join phrases by commas and a last "and"."""
    return items[0] if len(items) == 1 else ", ".join(items[:-1]) + " and " + items[-1]


def paragraphs(*blocks: str) -> str:
    """Join the non-empty blocks by blank lines."""
    return "\n\n".join(block.strip() for block in blocks if block.strip())


def sentence(*parts: str) -> str:
    """Join the non-empty parts by single spaces."""
    return " ".join(part.strip() for part in parts if part.strip())


def word_limit(instruction: str) -> int:
    """Return the most words that an instruction allows ("at most sixty words"), or 0."""
    match = _LIMIT.search(lower(instruction))
    if match is None:
        return 0
    tens, _, ones = match.group(1).partition("-")
    if tens.isdigit():
        return int(tens)
    units = lexicon.NUMBERS.index(ones) if ones in lexicon.NUMBERS else 0
    whole = {word: 10 * i for i, word in enumerate(_TENS, 2)}
    return 100 if tens == "hundred" else whole.get(tens, 0) + units


def _is_person(phrase: str) -> bool:
    """Tell whether a phrase names a person, or a part of one, which nobody sells or rates."""
    return lower(phrase.rsplit(" ", 1)[-1]) in lexicon.PEOPLE | lexicon.BODY
