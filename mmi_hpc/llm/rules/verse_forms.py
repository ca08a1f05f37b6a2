"""Genres in verse: haiku, poems in free or rhymed stanzas, songs with a chorus."""

from __future__ import annotations

from itertools import product

from mmi_hpc.llm.rules.brief import Brief, sentence
from mmi_hpc.llm.rules.choice import draw
from mmi_hpc.llm.rules.nouns import bare, definite
from mmi_hpc.llm.rules.text import capitalised, lower
from mmi_hpc.llm.rules.words import is_word, tokens


def haiku(b: Brief) -> str:
    """Three lines near the pattern of 5, 7 and 5 syllables."""
    scene = b.scene
    phrases = list(dict.fromkeys([b.subject, *(definite(thing) for thing in scene.things)]))
    # "Without naming its main subject": then the other things carry both lines.
    if b.mentions("without naming", "without mentioning") and len(phrases) > 1:
        phrases = phrases[1:]
    first = _line(b, 5, phrases[:1], ("", "see ", "behold ", "look once more, ", "all around "))
    others = phrases[1:] or [b.thing(1)]
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
    """Two stanzas of free verse, or as many rhymed ones as are asked for."""
    stanzas = b.asked("stanzas|verses|quatrains", 3 if b.mentions("rhym", "limerick") else 0)
    if stanzas:
        return "\n\n".join(_rhymed(b)[:stanzas])
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


def _rhymed(b: Brief) -> list[str]:
    """Stanzas whose rhymes are ours, so that they hold for any scene."""
    colours = b.colours("The colours, ", ", came by,", "The smallest details caught my eye,")
    return [
        f"I came by slowly on my way,\nand {b.subject} made me stay;\n"
        f"I saw {b.thing(0)} in front of me,\nas clear as anything could be.",
        f"I turned to see {b.thing(1)} then,\nand looked away, and looked again;\n"
        "the hour was wide, the air was still,\nI feel it now and always will.",
        f"{colours}\nas slow as clouds across the sky,\nwith {b.thing(2)} in the view,\n"
        "and nothing left that I should do.",
        f"I keep {b.thing(3)} in my mind,\nand leave the rest of it behind,\n"
        "a little sign, a steady light,\nthat stays with me into the night.",
        "So if you ask me what was there,\nI name it slowly and with care:\n"
        f"I saw {b.subject}, plain and true,\nand now I leave the sight to you.",
    ]


def song(b: Brief) -> str:
    """Verses with a chorus between them."""
    chorus = b.pick(
        "chorus",
        f"Oh, {bare(b.subject)}, stay a while with me,\nthere is so much here for the eye to see,\n"
        "sing it low and sing it long,\nevery little thing belongs in this song.",
        f"Sing it for {b.subject}, sing it again,\nonce for the morning and once for a friend,\n"
        "clap your hands and stamp the floor,\nwe will sing it through once more.",
    )
    verses = [
        "I was walking slowly, the day was long,\nI was looking for something to put in a song;\n"
        f"then I saw {b.subject}, and there I stood,\nand looked for as long as a traveller could.",
        f"I went a bit closer, and what should there be\nbut {b.thing(0)} in front of me;\n"
        f"and I sang of {b.thing(1)} all the way,\nand I am singing the song today.",
        f"Now the day is over, the lamp is lit,\nand I think of {b.thing(2)} and smile a bit;\n"
        f"I carry {b.subject} in my mind,\nthe dearest of the sights I find.",
    ]
    count = min(b.asked("verses|stanzas", 2), len(verses))
    parts = [f"**Verse {i}**\n{v}" for i, v in enumerate(verses[:count], 1)]
    parts.insert(1, f"**Chorus**\n{chorus}")
    return "\n\n".join([*parts, "**Chorus**\n(as before, everyone together)"])
