"""What a genre writer gets: the scene, and wording drawn for this scene and instruction alone."""

from __future__ import annotations

from dataclasses import dataclass

from mmi_hpc.llm.rules.choice import pick
from mmi_hpc.llm.rules.facts import Scene
from mmi_hpc.llm.rules.text import capitalised, lower

BODY_WORDS = 75
"""Words of the scene's own sentences that one answer uses; the framing adds about as many."""

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

    def listed(self, count: int = 3) -> str:
        """Some other things in one breath: "a white suit, a spotlight and the floor"."""
        return listing(self.scene.things[:count] or (self.thing(0), self.thing(1)))

    def bullets(self, count: int = 5) -> str:
        """Other things as a Markdown list."""
        things = self.scene.things[:count] or (self.subject,)
        return "\n".join(f"- {capitalised(thing)}" for thing in things)

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
