"""Genres for working with a scene: field notes, inspections, packing lists, critiques, scripts."""

from __future__ import annotations

from mmi_hpc.llm.rules.brief import Brief, listing, paragraphs, sentence
from mmi_hpc.llm.rules.text import capitalised


def _numbered(steps: list[str]) -> str:
    return "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1))


def observations(b: Brief) -> str:
    """A scientist's notes: what is seen, what is counted, what cannot be measured."""
    counted = b.counted
    counts = f"{listing(counted[:3])}." if counted else "No exact count can be made from here."
    scale = b.pick(
        "scale",
        f"No scale is in view; size can only be judged against {b.thing(0)}.",
        f"Without a scale, {b.thing(0)} must serve as the measure for everything else.",
    )
    unclear = b.pick(
        "open",
        f"To be checked on site: {b.thing(1)} and {b.thing(2)}.",
        "One view only; a second one from another side would be needed.",
    )
    return paragraphs(
        "**Field notes**",
        f"- **Object:** {b.subject}{b.place}\n- **Observed:** {b.body(70)}\n"
        f"- **Count:** {counts}\n- **Size:** {scale}"
        + b.colours("\n- **Colour:** ", ".")
        + f"\n- **Open:** {unclear}",
    )


def safety(b: Brief) -> str:
    """An inspection that ranks what to check and claims no danger that is not in view."""
    them = ("it", "them")
    checks = [
        f"**{b.Thing(0)}:** make sure that nobody can trip over, run into or be hurt by "
        f"{b.does(0, *them)}.",
        f"**{b.Thing(1)}:** check that everything is firm, whole and where it should be.",
        f"**{b.Thing(2)}:** keep a safe distance until {b.does(2, 'it has', 'they have')} been "
        "looked at.",
        f"**{b.Subject}:** leave enough free space and light on every side.",
    ]
    end = b.pick(
        "end",
        "Nothing in view proves a danger; the order shows what to look at first.",
        "These are points to check, not findings: the image alone proves no fault.",
    )
    return paragraphs(
        "**Safety inspection**", b.body(50), "**Most urgent first**\n" + _numbered(checks), end
    )


def packing(b: Brief) -> str:
    """A bag for a day in the setting, with a reason for every item."""
    where = b.place or " out there"
    items = [
        f"**Comfortable shoes**, to walk all the way up to {b.object}.",
        f"**A notebook and a pencil**, to describe {b.thing(0)}.",
        f"**A camera**, because {b.thing(1)} {b.does(1, 'deserves', 'deserve')} a picture.",
        f"**A small torch**, for a better look at {b.thing(2)}.",
        f"**Water and a snack**, since a day{where} is long.",
        "**A light jacket**, in case the day turns cool.",
    ]
    return paragraphs("**Packing list**", b.lead, "\n".join(f"- {item}" for item in items))


def prediction(b: Brief) -> str:
    """What happens next, with the clues and how far they carry."""
    guess = b.pick(
        "guess",
        f"A minute later, {b.subject} will most likely still be the centre of the scene.",
        f"Not much will change within a minute: {b.subject} will most likely still be here.",
    )
    return paragraphs(
        f"**What happens next:** {guess}",
        f"**Clues**\n- {b.lead}\n- Nothing about {b.thing(0)} or {b.thing(1)} points to a sudden "
        "change.",
        sentence("**What speaks for it:**", b.rest(60)) if b.rest(60) else "",
        "**How sure is this?** Moderately. One moment shows where things stand, not where they go.",
    )


def critique(b: Brief) -> str:
    """A critique of the composition with two concrete improvements."""
    strength = b.pick(
        "strength",
        f"{b.Subject} {b.be('holds', 'hold')} the image together, and {b.listed(2)} give it depth.",
        f"The eye finds {b.subject} at once and then has {b.listed(2)} to discover.",
    )
    first = b.pick(
        "first",
        f"Give {b.subject} a little more room, so that {b.thing(0)} "
        f"{b.does(0, 'does', 'do')} not compete.",
        f"Take a step to the side, so that {b.thing(0)} {b.does(0, 'leads', 'lead')} "
        f"towards {b.subject}.",
    )
    second = b.pick(
        "second",
        f"Simplify the area around {b.thing(1)}, or crop it, to make the order clearer.",
        f"Set {b.thing(1)} apart by a stronger contrast of light and dark.",
    )
    colours = b.colours("The palette of ", " keeps the parts together.")
    return paragraphs(
        f"**The image.** {b.body(60)}",
        f"**What works.** {sentence(strength, colours)}",
        f"**Two improvements**\n{_numbered([first, second])}",
    )


def comic(b: Brief) -> str:
    """A script for a few panels with a joke at the end."""
    panels = [
        f"{b.lead}",
        f"Close-up of {b.thing(0)}. Voice from outside: “Nobody move. This is important.”",
        f"Wide view. Long silence. Even {b.thing(1)} {b.does(1, 'seems', 'seem')} to wait.",
        f"The voice again, puzzled: “Is that really {b.subject}? And nobody asks about "
        f"{b.thing(0)}?”",
    ]
    count = min(b.asked("panels?", 4), len(panels))
    # The joke is the last panel, however few there are.
    chosen = [*panels[: count - 1], panels[-1]]
    return paragraphs(*(f"**Panel {i}.** {text}" for i, text in enumerate(chosen, 1)))


def podcast(b: Brief) -> str:
    """The script of a spoken introduction."""
    hello = b.pick(
        "hello",
        "Close your eyes for a moment and picture this with me.",
        "Welcome! Today we begin with a single picture.",
    )
    tease = b.pick(
        "tease",
        f"What brought {b.subject} and {b.thing(1)} together? Stay with us.",
        f"Keep {b.thing(0)} in mind, because we will come back to {b.does(0, 'it', 'them')}.",
    )
    return paragraphs(
        "**[Music fades in]**",
        f"**Host:** {hello} {b.body(55)}",
        f"**Host:** {tease} This is the show for everyone who likes to look twice.",
        "**[Music rises]**",
    )


def tips(b: Brief) -> str:
    """Tips for looking at or working from a scene like this."""
    lines = [
        f"Start with {b.subject} and leave everything else for later.",
        f"Use {b.thing(0)} as a point of reference.",
        f"Give {b.thing(1)} some room.",
        b.colours("Stay close to the colours: ", ".", "Use few colours."),
        "Look twice before you change anything.",
        f"Keep {b.thing(2)} in view until you are done.",
        "Work from the large parts to the small ones.",
        "Ask someone else what they see first.",
        "Leave out what does not help.",
        "Stop while it still looks simple.",
    ]
    title = capitalised(f"tips inspired by {b.subject}")
    return paragraphs(f"**{title}**", b.lead, _numbered(lines[: b.asked("[a-z]*tips", 5)]))


def fable(b: Brief) -> str:
    """A fable: a thing of the scene learns to speak, and there is a moral."""
    speaker = b.thing(0) if b.scene.person else b.subject
    was = b.does(0, "was", "were") if b.scene.person else b.be("was", "were")
    other = b.thing(1) if b.scene.person else b.thing(0)
    line = b.pick(
        "line",
        "“Everyone looks,” came the first words, “but who listens?”",
        "“I have been here all the time,” came the first words, “and nobody ever asked.”",
    )
    moral = b.pick(
        "moral",
        "Those who stay quiet may have seen the most.",
        "Whoever wants to be heard should first have something to say.",
        "Nothing is too small to be asked.",
    )
    return paragraphs(
        f"Once upon a time, {speaker} {was} given a voice.",
        b.body(60),
        f"{line} From then on, even {other} kept still and listened, and all around learned "
        "more in one evening than in a year of talk.",
        f"**Moral:** {moral}",
    )


def photo_guide(b: Brief) -> str:
    """Steps for taking a picture like this one."""
    return paragraphs(
        f"**How to take a picture like this one of {b.subject}**",
        _numbered(
            [
                f"**Study the model.** {b.lead}",
                f"**Choose your subject.** Look for something like {b.subject}, and let "
                f"{b.be('it', 'them')} lead.",
                f"**Find the frame.** Bring in {b.listed(2)}, and leave out what adds nothing.",
                b.colours(
                    "**Mind the colours.** Keep the tones true: ",
                    ".",
                    "**Mind the light.** Wait until the shapes come out clearly.",
                ),
                f"**Hold still and press.** Check that {b.thing(0)} and {b.subject} are sharp.",
                "**Compare.** Put both pictures side by side and try again.",
            ]
        ),
    )


def dish(b: Brief) -> str:
    """A dish that takes its colours and textures from the scene."""
    colours = b.scene.colours or ("pale", "dark")
    ingredients = [f"- Something {colour} and fresh, to set the tone" for colour in colours[:3]]
    ingredients += [
        f"- Something crisp, for {b.thing(0)}",
        f"- Something soft, for {b.thing(1)}",
        "- Salt, pepper and a little oil",
    ]
    steps = [
        f"Place the main ingredient in the middle of the plate, as {b.subject} "
        f"{b.be('is', 'are')} in the image.",
        f"Arrange the crisp part around it, with {b.thing(0)} as the model.",
        "Season with care and fold in the soft part last.",
        "Finish with the brightest colour and serve at once.",
    ]
    return paragraphs(
        f"**A plate inspired by {b.subject}**",
        b.lead,
        "**Ingredients**\n" + "\n".join(ingredients),
        "**Steps**\n" + _numbered(steps),
    )
