"""Genres of a few words or lines: captions, headlines, tags, verse, riddles, quizzes, labels."""

from __future__ import annotations

from itertools import product

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.brief import Brief, listing, paragraphs, sentence
from mmi_hpc.llm.rules.choice import draw, shuffled
from mmi_hpc.llm.rules.nouns import bare, definite, is_word, tokens
from mmi_hpc.llm.rules.text import capitalised, lower


def caption(b: Brief) -> str:
    """One or two short lines under a photo."""
    line = b.pick(
        "line",
        f"All eyes on {b.subject}, with {b.thing(0)} and {b.thing(1)} close behind.",
        f"{b.Subject}, {b.thing(0)} and a mood that needs no words.",
        f"Meet {b.subject}: come for {b.thing(0)}, stay for {b.thing(1)}.",
        f"From {b.thing(0)} to {b.thing(1)}, every detail leads back to {b.subject}.",
        f"Some moments speak softly. {b.Subject} and {b.thing(0)} say it all.",
        f"Pause here for {b.subject}{b.place or ' in full view'}, and let {b.thing(0)} linger.",
        f"{b.Thing(0)}, {b.thing(1)} and {b.subject}: small details, lasting impression.",
    )
    return sentence(
        line,
        b.colours(
            b.pick("colours", "Palette of the day: ", "In tune with ", "Told in "),
            ".",
        ),
    )


def headline(b: Brief) -> str:
    """A headline, slogan or title with a line under it."""
    line = b.pick(
        "line",
        f"Spotlight on {b.subject}",
        f"{b.Subject}, and everything around {b.be('it', 'them')}",
        f"A closer look at {b.subject}",
        f"Why {b.subject} {b.be('deserves', 'deserve')} a second look",
    )
    return paragraphs(f"**{line}**", b.lead)


def hashtags(b: Brief) -> str:
    """A line of hashtags made of the scene's own words."""
    phrases = [b.subject, *b.scene.things[:6], b.scene.place.strip(), *b.scene.colours[:2]]
    seen: dict[str, str] = {}
    for phrase in phrases:
        tag = _tag(phrase)
        if tag:
            seen.setdefault(lower(tag), tag)
    line = " ".join(seen.values()) or "#TheScene"
    return f"{line} {b.pick('tag', '#InTheMoment', '#LookCloser', '#SeenToday', '#SmallDetails')}"


def _tag(phrase: str) -> str:
    skipped = lexicon.DETERMINERS | lexicon.PREPOSITIONS | lexicon.FUNCTION_WORDS
    kept = [t for t in tokens(phrase) if is_word(t) and lower(t) not in skipped]
    joined = "".join(capitalised("".join(c for c in t if c not in "'’.-/&+_#")) for t in kept[:4])
    return f"#{joined[:40]}" if joined else ""


def haiku(b: Brief) -> str:
    """Three lines near the pattern of 5, 7 and 5 syllables."""
    scene = b.scene
    phrases = list(dict.fromkeys([b.subject, *(definite(thing) for thing in scene.things)]))
    first = _line(b, 5, phrases[:1], ("", "see ", "behold ", "look once more, ", "all around "))
    others = phrases[1:] or [b.thing(0)]
    second = _line(
        b, 7, others, ("", "beside ", "near ", "with ", "then ", "one breath and ", "quietly, ")
    )
    third = b.pick(
        "third",
        "the quiet moment",
        "time pauses to look",
        "nothing more to say",
        "and the world holds still",
        "a small, lasting song",
        "the eye comes to rest",
    )
    return f"{capitalised(first)},\n{second},\n{third}."


def _line(b: Brief, target: int, phrases: list[str], openers: tuple[str, ...]) -> str:
    """Find the opener and phrase whose syllables come nearest to a target."""
    forms = dict.fromkeys(form for phrase in phrases for form in (phrase, bare(phrase)))
    candidates = [opener + form for opener, form in product(openers, forms)]
    return min(
        candidates,
        key=lambda line: (abs(syllables(line) - target), draw(b.seed, line, b.instruction), line),
    )


def syllables(text: str) -> int:
    """Estimate the syllables of an English text from its groups of vowels."""
    total = 0
    for token in tokens(lower(text)):
        if not is_word(token):
            continue
        groups = "".join(c if c in "aeiouy" else " " for c in token).split()
        count = len(groups)
        silent = token.endswith("e") and not token.endswith(("le", "ee", "ye"))
        silent = silent or (token.endswith("ed") and not token.endswith(("ted", "ded")))
        total += max(1, count - 1 if silent and count > 1 else count)
    return total


def poem(b: Brief) -> str:
    """Two stanzas of free verse."""
    opening = b.pick(
        "open", "I stopped for a moment, and there", "No hurry, no noise, only", "Say it softly:"
    )
    middle = b.pick(
        "middle", "I learned to look slowly", "the hour grew wide", "nothing asked to be louder"
    )
    ending = b.pick(
        "end",
        "and I carried the sight home with me.",
        "and that was enough for a day.",
        "and still it has more to tell.",
    )
    verb = b.be("was", "were") if opening.endswith("there") else ""
    first = sentence(opening, verb, f"{b.subject}{b.place},")
    return (
        f"{first}\nwith {b.thing(0)} close by,\n{b.thing(1)} for company,\n{middle}.\n\n"
        f"{b.colours('There was colour, ', ' without end;', 'There was more than I could name;')}\n"
        f"{b.thing(2)} held its own place;\nI came back to {b.subject} once more,\n{ending}"
    )


def riddle(b: Brief) -> str:
    """Clues from the scene and the answer under them."""
    clue = b.pick(
        "clue",
        f"I keep company with {b.listed(3)}.",
        f"Look near {b.listed(3)}, and there I am.",
        f"My neighbours are {b.listed(3)}.",
    )
    colours = b.colours("Around me there is ", ".", "I wear no colour that gives me away.")
    where = f"You will find me{b.place}." if b.place and not _inside(b.place, b.subject) else ""
    ask = b.pick("ask", "Who or what am I?", "Can you name me?", "What is the word for me?")
    return paragraphs(sentence(clue, colours, where, ask), f"**Answer:** {b.Subject}. {b.lead}")


def _inside(place: str, subject: str) -> bool:
    return place.split()[-1] in subject.split()


_DISTRACTORS = (
    "a hot-air balloon", "a grand piano", "a lighthouse", "a snow globe", "a spiral staircase",
    "a paper kite", "a telescope", "a sewing machine",
)  # fmt: skip


def quiz(b: Brief) -> str:
    """One multiple-choice question about what can be seen, with its answer."""
    text = lower(b.scene.text)
    wrong = [d for d in _DISTRACTORS if d.split()[-1] not in text and d.split("-")[0] not in text]
    others = shuffled(wrong or list(_DISTRACTORS), b.seed, b.scene.text, b.instruction)[:2]
    right = b.scene.things[0] if b.scene.things else b.subject
    options = shuffled([*others, right], b.seed, "order", b.scene.text, b.instruction)
    question = b.pick(
        "question",
        f"Look closely at {b.subject}. Which of these can be seen in the image?",
        f"Only one of these belongs to the scene with {b.subject}. Which one?",
        "Which of the following really appears in the picture?",
    )
    lines = [f"{letter}) {capitalised(o)}" for letter, o in zip("ABC", options, strict=True)]
    answer = f"**Answer:** Option {'ABC'[options.index(right)]}, {right}. {b.lead}"
    return paragraphs(f"**Question:** {question}", "\n".join(lines), answer)


def label(b: Brief) -> str:
    """A museum or product label."""
    look = b.pick("look", "Look for", "Note", "Worth a closer look:")
    colours = b.colours("**Colours:** ")
    return paragraphs(
        f"**{b.Subject}**", b.body(50), f"**{look}** {b.listed(4)}".replace(":**", "**"), colours
    )


def checklist(b: Brief) -> str:
    """A plain list of what there is."""
    opening = b.pick(
        "open",
        f"Here is what stands out around {b.subject}:",
        "A quick list of what can be seen:",
        f"Starting with {b.subject}, these are the things to notice:",
    )
    colours = (f"Colours: {listing(b.scene.colours)}",) if b.scene.colours else ()
    items = "\n".join(f"- {capitalised(item)}" for item in (b.subject, *b.scene.things[:6]))
    extra = "".join(f"\n- {item}" for item in colours)
    return paragraphs(opening, items + extra, f"Taken together: {b.lead}")


def postcard(b: Brief) -> str:
    """A few warm lines to send."""
    hello = b.pick("hello", "Hello from here!", "Warm greetings!", "Thinking of you!")
    patriotic = b.mentions("patriot")
    wish = (
        "With pride in what we share, and warm wishes to all at home."
        if patriotic
        else b.pick("wish", "Wish you could see it too.", "I saved you a place in this view.")
    )
    return paragraphs(
        f"**{hello}**",
        b.body(60),
        sentence(
            f"I keep coming back to {b.thing(0)}",
            f"and {b.thing(1)}.",
            b.colours("I can still see the ", "."),
            wish,
        ),
        b.pick("bye", "See you soon!", "Until next time!", "With love from the road."),
    )
