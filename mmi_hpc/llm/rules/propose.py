"""Proposing instructions for one image: seed instructions with a tail that fits its scene."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from mmi_hpc.llm.rules.choice import draw, shuffled
from mmi_hpc.llm.rules.facts import Scene, read
from mmi_hpc.llm.rules.genres import recognise
from mmi_hpc.llm.rules.joins import JOINS, LEAST_WORDS, MOST_WORDS, PADDING, names_image
from mmi_hpc.llm.rules.nouns import definite
from mmi_hpc.llm.rules.text import capitalised, ended, lower, plain, sentences, squeeze

MAX_COUNT = 100
_BASE_WORDS = 20
_TAIL_WORDS = 5
_TAIL_CHARS = 40
_NUMBER = re.compile(r"^(?:\(?[0-9]{1,3}[.):]|[-•]) +")
_DEFAULT_SEEDS = (
    "Write a short story inspired by the image.",
    "Create a social media post for the picture.",
    "Analyze the composition of the image.",
    "Write a friendly letter to a friend inspired by the photo.",
    "Craft a haiku inspired by the scene.",
    "Design a quiz question based on the picture.",
)


def propose(description: str, seeds: Sequence[str], count: int, seed: int) -> str:
    """Write a numbered list of instructions that suit one image.

    Args:
        description: What the image shows.
        seeds: Example instructions to vary; without any, a few of our own.
        count: How many to write; at most 100, and fewer where the seeds and the scene do not
            give so many different ones.
        seed: Chooses seeds, joints and tails.

    Returns:
        One instruction a line, "1. ..." and so on; each one sentence of 7 to 30 words that ends
        with a period.
    """
    scene = read(description)
    # A longer seed leaves no room for a tail, and half a seed is no instruction.
    fitting = [text for text in map(base, seeds) if 0 < len(text.split()) <= _BASE_WORDS]
    bases = list(dict.fromkeys(fitting)) or list(map(base, _DEFAULT_SEEDS))
    chosen: dict[str, str] = {}
    for text in _variants(_varied(bases, seed, scene.text), _tails(scene), seed, scene.text):
        if len(chosen) >= min(count, MAX_COUNT):
            break
        chosen.setdefault(lower(text), text)
    return "\n".join(f"{i}. {text}" for i, text in enumerate(chosen.values(), 1))


def base(seed_instruction: str) -> str:
    """Return the first sentence of an instruction, without number and end mark."""
    text = _NUMBER.sub("", squeeze(plain(squeeze(seed_instruction))))
    found = sentences(text)
    words = re.sub(r"[.!?。！？]+(?= |$)", "", found[0]).split() if found else []
    text = ended(" ".join(words[:MOST_WORDS])).rstrip(".!?。！？\"'”’) ")
    return capitalised(text)


def _varied(bases: list[str], seed: int, key: str) -> list[str]:
    """Order the seeds so that every genre comes once before any comes twice."""
    turns: dict[str, int] = {}
    placed: list[tuple[int, int, str]] = []
    for position, text in enumerate(shuffled(bases, seed, key)):
        genre = recognise(text).name
        turns[genre] = turns.get(genre, 0) + 1
        placed.append((turns[genre], position, text))
    return [text for _, _, text in sorted(placed)]


def _tails(scene: Scene) -> list[str]:
    """Short phrases of the scene that an instruction may turn to; names last no longer."""
    phrases = [scene.the_subject, *(definite(thing) for thing in scene.things)]
    short = [p for p in phrases if len(p.split()) <= _TAIL_WORDS and len(p) <= _TAIL_CHARS]
    # A scene of a word or two still needs a few tails to choose from.
    return short[:6] if len(short) > 1 else [*short, "the setting", "the small details"]


def _variants(bases: list[str], tails: list[str], seed: int, key: str) -> Iterator[str]:
    """Yield every seed with one tail and joint, then every seed with the next, and so on."""
    for lap in range(len(tails) * len(JOINS)):
        for text in bases:
            start = draw(seed, text, key)
            tail = tails[(start + lap) % len(tails)]  # every tail meets every joint once
            joint = _joint(text, (start >> 16) + lap // len(tails) + lap % len(tails))
            yield _joined(text, joint, tail)


def _joint(text: str, turn: int) -> str:
    # The last joint of a text is where `summarise` cuts, and a verb said twice reads badly.
    fitting = [join for join in JOINS if join.strip(", ") not in lower(text)]
    # "... for the photo that features the cup", "a haiku about the cup", but not the reverse.
    unfit = {" that features "} if not names_image(text.rsplit(" ", 1)[-1]) else {" about "}
    unfit |= {" about "} if names_image(text) else set()
    fitting = [join for join in fitting if join not in unfit]
    return (fitting or list(JOINS))[turn % len(fitting or JOINS)]


def _joined(text: str, joint: str, tail: str) -> str:
    room = MOST_WORDS - len(f"{joint}{tail}".split())
    words = text.split()[:room]
    whole = f"{' '.join(words)}{joint}{tail}"
    if len(whole.split()) < LEAST_WORDS:
        whole = f"{' '.join(words)}{PADDING}{joint}{tail}"
    if len(whole.split()) < LEAST_WORDS:
        whole += " in view"
    return whole + "."
