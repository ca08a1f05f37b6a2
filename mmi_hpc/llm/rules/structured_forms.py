"""Genres with headings, steps or bullets: guides, recipes, plans, reviews, analyses, adverts."""

from __future__ import annotations

import re

from mmi_hpc.llm.rules import work_forms as work
from mmi_hpc.llm.rules.brief import Brief, listing, paragraphs, sentence
from mmi_hpc.llm.rules.choice import shuffled

_DAYS = {"two": 2, "three": 3, "four": 4, "five": 5, "weekend": 2}
_NOTES = (
    "Leave room for a slow walk and a few photos.",
    "Take a break when it feels right.",
    "Keep the pace easy and the eyes open.",
    "Write down what surprises you.",
    "Share the best moment with someone.",
)
_DAY = re.compile(r"\b(two|three|four|five|[2-5])[- ]day|\b(weekend)\b", re.IGNORECASE | re.ASCII)


def guide(b: Brief) -> str:
    """Numbered steps that use what is in view as the model to follow."""
    if b.mentions("care", "plant", "water") and b.mentions("care", "maint"):
        return _care(b)
    if b.mentions("tips"):
        return work.tips(b)
    if b.mentions("take a", "shoot a") and b.mentions("picture", "photo"):
        return work.photo_guide(b)
    title = b.pick(
        "title",
        f"Step by step with {b.subject}",
        f"A simple guide, with {b.subject} as the model",
        f"How to do it, inspired by {b.subject}",
    )
    start = b.pick(
        "start",
        f"**Study the model.** {b.lead}",
        f"**Look first.** {b.lead}",
        f"**Begin with what you see.** {b.lead}",
    )
    collect = b.pick(
        "collect",
        f"**Gather what you need.** Keep {b.listed(3)} in view as your reference.",
        f"**Set things out.** Have {b.listed(3)} within sight before you start.",
    )
    match = b.colours(
        "**Match the colours.** Stay close to ",
        ".",
        "**Keep it simple.** Work with what is there and leave out the rest.",
    )
    order = b.pick(
        "work",
        f"**Work in order.** Start with {b.thing(0)}, then move on to {b.thing(1)}.",
        f"**Go slowly.** Give {b.thing(0)} your full attention before you turn to {b.thing(1)}.",
    )
    check = b.pick(
        "check",
        f"**Compare.** Step back, look at {b.subject} again and adjust what differs.",
        f"**Review the result.** Go over it once more with {b.subject} in view.",
    )
    steps = [start, collect, match, order, check]
    extra = b.rest(60)
    if extra:
        steps.insert(1, f"**Mind the details.** {extra}")
    return paragraphs(f"**{title}**", _numbered(steps))


def _care(b: Brief) -> str:
    """A care guide: advice that fits any plant, tied to what can be seen."""
    water = b.pick(
        "water",
        "Touch the soil before you water; add a little when it feels dry, and let extra water "
        "drain.",
        "Water sparingly and regularly, and stop as soon as the soil is moist.",
    )
    sun = b.pick(
        "sun",
        "Give it bright light, and watch the leaves for signs of too much or too little.",
        "Choose a bright spot and turn the plant from time to time.",
    )
    return paragraphs(
        f"**Care guide: {b.subject}**",
        b.body(60),
        f"- **Watering:** {water}\n- **Sunlight:** {sun}\n- **Maintenance:** Check "
        f"{b.thing(0)} and {b.thing(1)} regularly, and remove what has dried.",
    )


def _numbered(steps: list[str]) -> str:
    return "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1))


def recipe(b: Brief) -> str:
    """A recipe whose ingredients are the things in view; amounts are left to the cook."""
    if b.mentions("texture", "inspired by the color", "inspired by the colour"):
        return work.dish(b)
    drink = b.mentions("drink", "cocktail", "smoothie", "juice")
    title = b.pick("title", f"Inspired by {b.subject}", f"A recipe around {b.subject}")
    first = b.pick(
        "first",
        "Lay everything out so that you can see it at once.",
        "Clear the table and place everything within reach.",
    )
    second = b.pick(
        "second",
        f"Let {b.subject} set the theme, and take your time.",
        f"Start from {b.subject}; the rest follows.",
    )
    third = f"Bring in {b.thing(0)}, then {b.thing(1)}, and taste as you go."
    colours = b.colours("Keep the colours in mind: ", ".", "Keep the arrangement simple.")
    serve = b.pick(
        "serve",
        "Serve it chilled, close to how it looks here."
        if drink
        else "Serve it right away, close to how it looks here.",
        "Bring it to the table and enjoy it in good company.",
    )
    return paragraphs(
        f"**{title}**",
        b.lead,
        "**In view**\n" + b.bullets(5),
        "**Steps**\n" + _numbered([first, second, third, colours, serve]),
    )


def tasting(b: Brief) -> str:
    """A tasting note: what the eye can tell, and modest words about the rest."""
    nose = b.pick(
        "nose",
        f"The eye leads the nose here, from {b.subject} to {b.thing(0)}.",
        f"Before the first sip or bite, {b.thing(0)} already {b.does(0, 'sets', 'set')} the mood.",
    )
    palate = b.pick(
        "palate",
        f"Let {b.subject} come first and {b.thing(1)} follow.",
        f"Take {b.subject} slowly, with {b.thing(1)} for contrast.",
    )
    finish = b.pick(
        "finish",
        "An inviting sight that leaves room for appetite.",
        "A composed impression that asks for one more taste.",
    )
    colours = b.colours("Shades of ", ".")
    return (
        f"**Appearance:** {sentence(b.body(60), colours)}\n\n"
        f"**Nose:** {nose}\n\n**Palate:** {palate}\n\n**Finish:** {finish}"
    )


def plan(b: Brief) -> str:
    """A plan for one day or a few."""
    match = _DAY.search(b.instruction)
    word = (match.group(1) or match.group(2)).lower() if match else ""
    days = _DAYS.get(word) or (int(word) if word.isdigit() else 0)
    heads = [f"Day {i}" for i in range(1, days + 1)] or ["Morning", "Afternoon", "Evening"]
    verbs = ("Start with a look at", "Make time for", "Return to", "Look out for", "Finish with")
    notes = shuffled(_NOTES, b.seed, b.scene.text, b.instruction)
    parts = []
    for index, head in enumerate(heads):
        stop = b.subject if index == 0 else b.thing(index - 1)
        parts.append(f"**{head}**\n- {verbs[index]} {stop}.\n- {notes[index]}")
    title = b.pick("title", f"A plan around {b.subject}", f"Making the most of {b.subject}")
    return paragraphs(f"**{title}**", b.body(45), *parts)


def analysis(b: Brief) -> str:
    """An analysis by subject, composition, colour and effect."""
    composition = b.pick(
        "comp",
        f"{b.Subject} {b.be('anchors', 'anchor')} the image, and the eye moves on to "
        f"{b.listed(3)}.",
        f"The viewer meets {b.subject} first; {b.listed(3)} then complete the picture.",
        f"Attention settles on {b.subject} before it travels to {b.listed(3)}.",
    )
    colour = b.colours(
        b.pick("colour", "The palette rests on ", "The visible palette is ", "It works with "),
        b.pick("tone", ", a choice that sets the tone.", ", a choice that holds it together."),
        "Form and arrangement carry more weight than any single colour.",
    )
    meaning = b.pick(
        "mean",
        f"Placed side by side, {b.subject} and {b.thing(0)} invite the viewer to ask how they "
        "belong together.",
        f"The relation between {b.subject} and {b.thing(0)} carries the message without spelling "
        "it out.",
        "Nothing is explained outright, so the reading is left to the viewer.",
    )
    return paragraphs(
        f"**Subject.** {b.body(70)}",
        f"**Composition.** {composition}",
        f"**Colour.** {colour}",
        f"**Effect.** {meaning}",
    )


def history(b: Brief) -> str:
    """An overview that dates nothing beyond what is visible."""
    years = b.scene.years
    clue = (
        f"The firmest clue to its time is what is dated: {listing(years)}."
        if years
        else "No date is visible, so its age can only be judged from form and material."
    )
    opening = b.pick(
        "open",
        f"Any account of {b.subject} starts with what can be seen.",
        f"To place {b.subject} in history, it helps to begin with the evidence in view.",
        f"{b.Subject} {b.be('has', 'have')} a story that begins with what is visible.",
    )
    value = b.pick(
        "value",
        f"Details such as {b.listed(3)} tell something about its time and its people.",
        f"{b.Subject} and {b.thing(0)} are worth keeping on record as witnesses of their time.",
    )
    return paragraphs(sentence(opening, b.body()), sentence(clue, value))


def comparison(b: Brief) -> str:
    """A comparison of the subject with another thing in view."""
    common = b.pick(
        "common",
        "Both belong to the same moment and share the same space.",
        "They meet in one view, and each makes the other easier to notice.",
    )
    differ = b.pick(
        "differ",
        f"{b.Subject} {b.be('leads', 'lead')} the eye, while {b.thing(0)} "
        f"{b.does(0, 'supports', 'support')} from the side.",
        f"{b.Subject} {b.be('comes', 'come')} first; {b.thing(0)} "
        f"{b.does(0, 'works', 'work')} more quietly.",
    )
    return paragraphs(
        f"**{b.Subject} and {b.thing(0)}**",
        b.body(60),
        f"- **In common:** {common}\n- **Different:** {differ}\n- **Also in view:** "
        f"{b.thing(1)} and {b.thing(2)}.",
        b.pick("end", "Seen together, they say more than either alone.", "Neither needs to win."),
    )


def lesson(b: Brief) -> str:
    """A small lesson plan."""
    aim = b.pick(
        "aim",
        f"Learn to observe {b.subject} carefully and to put what is seen into words.",
        f"Practise talking about {b.subject} in clear sentences.",
    )
    talk = b.pick(
        "talk",
        f"In pairs, discuss {b.thing(0)} and {b.thing(1)}: why might they be there?",
        f"Ask the class which matters more, {b.thing(0)} or {b.thing(1)}, and why.",
    )
    do = b.pick(
        "do",
        "Everyone writes or draws one detail that the others have not mentioned.",
        "Each learner tells the scene again from memory and compares notes.",
    )
    return f"**Aim:** {aim}\n\n**Look:** {b.body(60)}\n\n**Talk:** {talk}\n\n**Do:** {do}"


def fact_sheet(b: Brief) -> str:
    """Facts under short heads, what is visible apart from what is only likely."""
    lines = [f"- **Main subject:** {b.subject}", f"- **Also visible:** {b.listed(4)}"]
    lines += [f"- **Setting:** {b.place.strip()}"] if b.place else []
    lines += [b.colours("- **Colours:** ")] if b.scene.colours else []
    lines += [f"- **Dates:** {', '.join(b.scene.years)}"] if b.scene.years else []
    if b.mentions("likely"):
        likely = f"{b.Subject} and {b.thing(0)} probably belong together; the image proves no more."
        lines += [f"- **Only likely:** {likely}"]
    note = b.pick(
        "note",
        "Everything listed here can be checked against the image.",
        "Only what can be seen is listed; nothing has been added.",
    )
    return paragraphs("**Fact sheet**", "\n".join(lines), b.body(60), note)


def review(b: Brief) -> str:
    """A product review that judges what can be seen and says what cannot."""
    item = b.object
    first = b.pick(
        "first",
        f"The first look at {item} leaves a clear impression.",
        f"At first sight, everything about {item} has its purpose.",
        f"There is a quiet confidence about {item}.",
    )
    design = b.pick(
        "design",
        f"What stands out: {b.listed(3)}.",
        f"The eye goes straight to {b.listed(3)}.",
    )
    use = b.pick(
        "use",
        "Comfort and daily use are best judged in person, but nothing in view looks out of place.",
        "A photo cannot prove comfort, yet the overall arrangement looks practical and considered.",
    )
    verdict = b.pick(
        "verdict",
        f"If you like things like {item}, take a closer look.",
        "A considered choice for anyone who values clear, honest design.",
        f"There is a place on the shortlist for {item}.",
    )
    if b.mentions("a year"):
        use = f"After a year, {item} would still be my choice; wear cannot be judged from a photo."
    colours = b.colours("The look is built on ", ".")
    return paragraphs(
        f"**First impression:** {sentence(first, b.body(60))}",
        f"**Design:** {sentence(design, colours)}",
        f"**In use:** {use}",
        f"**Verdict:** {verdict}",
    )


def advert(b: Brief) -> str:
    """An advertisement that promises only what can be seen."""
    hook = b.pick(
        "hook",
        f"Make room for {b.subject}.",
        f"This is the moment for {b.subject}.",
        f"You have been looking for {b.subject}. Here {b.be('it is', 'they are')}.",
        f"Turn heads with {b.subject}.",
    )
    if b.scene.person:
        hook = b.pick("hook", "See it. Love it. Take it home.", "Some looks sell themselves.")
    promise = f"**Our promise:** with {b.object}, what you see is what you get."
    why = b.pick("why", "Why you will love it", "What you get to see", "Look at this")
    call = b.pick(
        "call",
        "Ask for today's offer and see it for yourself!",
        "Come by, take a closer look and make it yours!",
        "Do not wait for someone else to discover it first!",
    )
    features = b.bullets(4)
    colours = b.colours("\n- A look in ")
    return paragraphs(
        f"**{hook}**",
        b.body(65),
        f"**{why}**\n{features}{colours}",
        promise if b.mentions("promise") else "",
        call,
    )


def campaign(b: Brief) -> str:
    """A marketing campaign drawn from colours and elements in view."""
    idea = b.pick(
        "idea",
        f"Put {b.subject} at the centre and let everything else support it.",
        f"One strong sight, {b.subject}, recognised everywhere.",
        f"Build every piece around {b.subject} so that people know it at a glance.",
    )
    slogan = b.pick("slogan", "Seen once, remembered.", "Look again.", "Simply recognisable.")
    use = b.pick(
        "use",
        f"Posters and cards show {b.thing(0)} large and keep the text short.",
        f"Online banners open with {b.thing(0)} and close on {b.subject}.",
    )
    colours = b.colours("", " throughout", "one restrained tone throughout")
    return paragraphs(
        f"**Idea.** {idea}",
        f"**Key visual.** {b.body(60)}",
        f"- **Colours:** {colours}\n- **Elements:** {b.listed(4)}\n- **Material:** {use}\n"
        f"- **Slogan:** {slogan}",
        b.pick(
            "end",
            "Repeat the same look on every channel, and it will soon need no introduction.",
            "Start small, listen to the first reactions and then widen the circle.",
        ),
    )
