"""Genres that ask: riddles, quizzes, exams, interviews, frequently asked questions."""

from __future__ import annotations

from dataclasses import dataclass

from mmi_hpc.llm.rules import lexicon
from mmi_hpc.llm.rules.brief import Brief, listing, paragraphs, sentence
from mmi_hpc.llm.rules.choice import shuffled
from mmi_hpc.llm.rules.nouns import definite
from mmi_hpc.llm.rules.text import capitalised, lower
from mmi_hpc.llm.rules.words import is_count, is_plural

_DISTRACTORS: tuple[str, ...] = (
    "a hot-air balloon", "a grand piano", "a lighthouse", "a snow globe", "a spiral staircase",
    "a paper kite", "a telescope", "a sewing machine", "a rocking chair", "a weather vane",
    "a rowing boat", "a chessboard", "a typewriter", "a windmill", "a drum kit", "a birdcage",
)  # fmt: skip
_COLOURS: tuple[str, ...] = (
    "white",
    "green",
    "violet",
    "yellow",
    "pink",
    "blue",
    "brown",
    "orange",
)
_COUNTS: tuple[str, ...] = ("two", "three", "four", "five", "six", "seven", "eight", "nine")
_ASK: tuple[str, ...] = (
    "Which of these can be seen in the image?",
    "Which of these belongs to the scene?",
    "What else is in view?",
    "Which of these really appears in the picture?",
    "What would you find if you looked closely?",
    "Only one of these is there. Which one?",
)


@dataclass(frozen=True)
class _Question:
    ask: str
    right: str
    wrong: tuple[str, str]


def riddle(b: Brief) -> str:
    """Clues from the scene and the answer under them."""
    clue = b.pick(
        "clue",
        f"I keep company with {b.listed(3)}.",
        f"Look near {b.listed(3)}, and there I am.",
        f"My neighbours are {b.listed(3)}.",
    )
    colours = b.colours("The colours of my place: ", ".", "I wear no colour that gives me away.")
    where = f"You will find me{b.place}." if b.place and not _inside(b.place, b.subject) else ""
    ask = b.pick("ask", "Who or what am I?", "Can you name me?", "What is the word for me?")
    return paragraphs(sentence(clue, colours, where, ask), f"**Answer:** {b.Subject}. {b.lead}")


def _inside(place: str, subject: str) -> bool:
    return place.split()[-1] in subject.split()


def quiz(b: Brief) -> str:
    """One multiple-choice question about what can be seen, or as many as are asked for."""
    count = b.asked("questions?", 1)
    if count > 1:
        return _many(b, count)
    others = _absent(b)[:2]
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


def _absent(b: Brief) -> list[str]:
    """Things that the scene does not name, in an order drawn for it."""
    text = lower(b.scene.text)
    wrong = [d for d in _DISTRACTORS if not any(w in text for w in _split(d))]
    return shuffled(wrong or list(_DISTRACTORS), b.seed, b.scene.text, b.instruction)


def _split(thing: str) -> list[str]:
    return [word for word in thing.replace("-", " ").split() if len(word) > 2]


def _many(b: Brief, count: int) -> str:
    questions = _questions(b)[:count]
    lines: list[str] = []
    key: list[str] = []
    for number, question in enumerate(questions, 1):
        options = shuffled([question.right, *question.wrong], b.seed, question.ask, b.scene.text)
        shown = "   ".join(f"{x}) {o}" for x, o in zip("ABC", options, strict=True))
        lines.append(f"{number}. **{question.ask}**\n{shown}")
        key.append(f"{number} {'ABC'[options.index(question.right)]}")
    return paragraphs("**Quiz**", *lines, f"**Answers:** {', '.join(key)}")


def _questions(b: Brief) -> list[_Question]:
    """Questions about number, colour and presence, one for every thing, then about colours."""
    absent = _absent(b)
    found: list[_Question] = []
    for index, phrase in enumerate((b.scene.subject, *b.scene.things)):
        turn = index * 2 % max(1, len(absent) - 1)
        wrong = (absent[turn], absent[(turn + 1) % len(absent)])
        plain = _Question(_ASK[index % len(_ASK)], phrase, wrong)
        found.append(_of_number(phrase) or _of_colour(b, phrase) or plain)
    for colour in b.scene.colours:
        others = [c for c in _COLOURS if c not in lower(b.scene.text)]
        if len(others) > 1:
            ask = f"Which of these colours appears together with {b.thing(len(found))}?"
            found.append(_Question(ask, colour, (others[0], others[1])))
    unique = {question.ask: question for question in reversed(found)}
    return list(reversed(unique.values()))


def _of_number(phrase: str) -> _Question | None:
    first, _, rest = phrase.partition(" ")
    if not is_count(lower(first)) or not is_plural(phrase) or lower(first).isdigit():
        return None
    others = [word for word in _COUNTS if word != lower(first)]
    start = len(phrase) % (len(others) - 1)
    return _Question(
        f"How many {rest} are there?", lower(first), (others[start], others[start + 1])
    )


def _of_colour(b: Brief, phrase: str) -> _Question | None:
    words = definite(phrase).split()
    at = [i for i, word in enumerate(words) if word in lexicon.COLOURS]
    if len(at) != 1 or " of " in phrase or at[0] + 1 == len(words) or " and " in phrase:
        return None
    others = [c for c in _COLOURS if c not in lower(b.scene.text)]
    if len(others) < 2:
        return None
    start = len(phrase) % (len(others) - 1)
    rest = " ".join(word for i, word in enumerate(words) if i != at[0])
    be = "are" if is_plural(phrase) else "is"
    return _Question(f"What colour {be} {rest}?", words[at[0]], (others[start], others[start + 1]))


def exam(b: Brief) -> str:
    """An exam question with a model answer and a marking scheme."""
    task = b.pick(
        "task",
        f"Explain how {b.thing(0)} and {b.thing(1)} shape the way a viewer sees {b.subject}.",
        f"Discuss the part that {b.thing(0)} and {b.thing(1)} play beside {b.subject}.",
    )
    strict = "Use only evidence that is visible, and say clearly where you are guessing."
    model = f"Good evidence would be {b.listed(3)}. What lies outside the frame remains open."
    return paragraphs(
        f"**Question:** {task} {strict}",
        f"**Model answer:** {b.body(60)} {model}",
        "**Marking scheme**\n"
        f"- Two marks: names {b.subject} and tells the main parts from the rest.\n"
        "- Three marks: uses at least two visible details as evidence.\n"
        "- One mark: keeps observation and guesswork apart.",
    )


def faq(b: Brief) -> str:
    """Frequently asked questions with answers that the image can give."""
    years = b.scene.years
    dated = f"The years that can be read: {listing(years)}." if years else "No date is visible."
    where = f"The setting can be seen: {b.place.strip()}." if b.place else "The image does not say."
    pairs = [
        ("What is shown?", b.body(60)),
        ("What else can be seen?", f"Besides {b.subject}: {b.listed(3)}."),
        ("Which colours stand out?", b.colours("Mainly ", ".")),
        ("When was it made?", f"{dated} Anything more would be a guess."),
        ("Where is it?", where),
        ("Who made it?", "Nothing in view gives a name."),
        ("Is there more to know?", "Only what the image shows can be said for certain."),
    ]
    kept = [f"**{ask}**\n{reply}" for ask, reply in pairs if reply]
    return paragraphs(*kept[: b.asked("questions", 4)])


def interview(b: Brief) -> str:
    """Three questions and answers, or the questions alone where those are asked for."""
    if b.mentions("questions"):
        return _interview_questions(b)
    first = b.pick("q1", "What did you notice first?", "What is going on here?")
    second = b.pick("q2", "What else should we pay attention to?", "Which details matter most?")
    third = b.pick("q3", "What will you remember?", "What stays with you?")
    close = b.pick(
        "close",
        f"Probably {b.subject}, and how naturally everything fits around {b.be('it', 'them')}."
        if not b.scene.person
        else f"Probably {b.subject}, and how naturally everything else fits in.",
        f"The quiet of it, and {b.subject} above all.",
    )
    details = b.rest() or f"I would start with {b.thing(0)} and then look for {b.thing(1)}."
    return paragraphs(
        f"**Q: {first}**\n{b.lead}", f"**Q: {second}**\n{details}", f"**Q: {third}**\n{close}"
    )


def _interview_questions(b: Brief) -> str:
    asks = [
        f"What made you take a picture of {b.subject}?",
        f"Did you notice {b.thing(0)} at once, or only later?",
        "How much of it was planned, and how much was chance?",
        f"Which matters more to you, {b.thing(1)} or {b.thing(2)}?",
        "What was happening just outside the frame?",
        "What would you change if you could take it again?",
        "How did the light influence your choice?",
        f"What would be missing without {b.thing(0)}?",
        "Who should see it first, and why?",
        "What do you hope that people remember?",
    ]
    count = b.asked("questions", 6)
    return "\n".join(f"{i}. {ask}" for i, ask in enumerate(asks[:count], 1))
