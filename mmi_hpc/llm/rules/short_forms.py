"""Genres of a few words or lines: captions, headlines, tags, labels, lists, small adverts."""

from __future__ import annotations

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.brief import Brief, listing, paragraphs, sentence
from mmi_hpc.llm.rules.nouns import bare, definite
from mmi_hpc.llm.rules.text import capitalised, lower
from mmi_hpc.llm.rules.words import is_plural, is_word, tokens


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
    """A headline, slogan or title with a line under it, or as many as are asked for."""
    count = b.asked("headlines|slogans|titles|taglines", 1)
    if count > 1:
        return "\n".join(f"- {line}" for line in _headlines(b)[:count])
    line = b.pick(
        "line",
        f"Spotlight on {b.subject}",
        f"{b.Subject}, and everything around {b.be('it', 'them')}",
        f"A closer look at {b.subject}",
        f"Why {b.subject} {b.be('deserves', 'deserve')} a second look",
    )
    return paragraphs(f"**{line}**", b.lead)


def _headlines(b: Brief) -> list[str]:
    tones = b.mentions("serious", "playful", "mysterious")
    serious, playful, mysterious = (
        ("**Serious:** ", "**Playful:** ", "**Mysterious:** ") if tones else ("", "", "")
    )
    return [
        f"{serious}{b.Subject} in full view, with {b.thing(0)}",
        f"{playful}Make way: {b.subject} and {b.thing(1)} steal the show",
        f"{mysterious}What {b.does(0, 'does', 'do')} {b.thing(0)} know about {b.subject}?",
        f"A closer look at {b.subject}",
        f"Small details, large effect: {b.thing(2)}",
        f"Why {b.subject} {b.be('deserves', 'deserve')} a second look",
        f"Beyond {b.thing(0)}: the story of a single moment",
        f"Everything revolves around {b.subject}",
        f"From {b.thing(0)} to {b.thing(1)} in one glance",
        f"Spotlight on {b.subject}",
    ]


_COMMON_TAGS = ("#InTheMoment", "#LookCloser", "#SeenToday", "#SmallDetails", "#OneFrame")


def hashtags(b: Brief) -> str:
    """A line of hashtags made of the scene's own words, as many as are asked for."""
    things = [b.scene.place.strip(), *b.scene.things[:8], b.subject]
    common = [b.pick("tag", *_COMMON_TAGS), *_COMMON_TAGS]
    count = b.asked("hashtags|tags", 0)
    seen: dict[str, str] = {}
    # From the general to the specific: colours are more general than what has them.
    for phrase in [*b.scene.colours[:2], *things]:
        tag = _tag(phrase)
        if tag:
            seen.setdefault(lower(tag), tag)
    tags = list(seen.values())
    spare = list(dict.fromkeys(common))[: max(1, count - len(tags))]
    tags = [*spare, *tags] if b.mentions("general") else [*reversed(tags), *spare]
    return " ".join(tags[:count] if count else tags)


def _tag(phrase: str) -> str:
    skipped = lexicon.DETERMINERS | lexicon.PREPOSITIONS | lexicon.FUNCTION_WORDS
    kept = [t for t in tokens(phrase.replace("-", " ")) if is_word(t) and lower(t) not in skipped]
    joined = "".join(capitalised("".join(c for c in t if c not in "'’.-/&+_#")) for t in kept[:4])
    return f"#{joined[:40]}" if joined else ""


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


def classified(b: Brief) -> str:
    """A small advert for one thing, of fewer than forty words."""
    state = b.pick(
        "state", "Condition as seen in the photo.", "Looks just as it does in the photo."
    )
    terms = b.pick(
        "terms",
        "Serious offers only, to be collected in person.",
        "Come and see before you decide. First come, first served.",
    )
    colours = b.colours("Colours in view: ", ".")
    return sentence(f"**For sale:** {capitalised(bare(b.object))}.", state, colours, terms)


def short_sentences(b: Brief) -> str:
    """A summary in short sentences that translate easily."""
    count = b.asked("sentences|short sentences", 5)
    lines = [f"The image shows {b.scene.subject}."]
    for thing in b.scene.things[: count - 1]:
        be = "are" if is_plural(thing) else "is"
        known = definite(thing) == thing
        lines.append(f"{capitalised(thing)} {be} in view." if known else f"There {be} {thing}.")
    extra = [b.hues, "The details are clear.", "Look closely."]
    lines += [line for line in extra if line][: max(0, count - len(lines))]
    return " ".join(lines)
