"""Which kind of text an instruction asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mmi_hpc.llm.rules import prose_forms as prose
from mmi_hpc.llm.rules import question_forms as question
from mmi_hpc.llm.rules import short_forms as short
from mmi_hpc.llm.rules import structured_forms as structured
from mmi_hpc.llm.rules import verse_forms as verse
from mmi_hpc.llm.rules import work_forms as work
from mmi_hpc.llm.rules.brief import Brief
from mmi_hpc.llm.rules.text import lower


@dataclass(frozen=True)
class Genre:
    """A kind of text: its name, the words that ask for it and the function that writes it."""

    name: str
    pattern: re.Pattern[str]
    write: Callable[[Brief], str]


def _genre(name: str, words: str, write: Callable[[Brief], str]) -> Genre:
    return Genre(name, re.compile(rf"\b(?:{words})", re.ASCII), write)


# The noun that names the genre decides; the earliest in the instruction wins.
NAMED = (
    _genre("caption", r"caption|meme\b", short.caption),
    _genre("social post", r"social|instagram|tweet|facebook|linkedin|tiktok|post the\b"
           r"|online community", prose.social),
    _genre("story", r"(?:short )?stor(?:y|ies)|narrative|tale\b|fairy", prose.story),
    _genre("fable", r"fable", work.fable),
    _genre("poem", r"poem|poetry|verse|limerick|sonnet|rhyme", verse.poem),
    _genre("song", r"song|lyrics|sing\b|chorus|ballad", verse.song),
    _genre("haiku", r"haiku", verse.haiku),
    _genre("tasting note", r"tasting", structured.tasting),
    _genre("review", r"(?:product )?review", structured.review),
    _genre("recipe", r"recipe|cocktail instructions|dish\b", structured.recipe),
    _genre("plan", r"itinerar|(?:two|three|four|five|[2-5])[- ]day|day trip|travel plan|schedule"
           r"|plan\b|agenda", structured.plan),
    _genre("critique", r"critique", work.critique),
    _genre("analysis", r"anal[yi]|interpret", structured.analysis),
    _genre("history", r"histor", structured.history),
    _genre("letter", r"letter|e-?mail|thank-you note|invitation", prose.letter),
    _genre("guide", r"guide\b|guides\b|guidance|how-to|how to\b|tutorial|step-by-step"
           r"|instructions for|manual|tips|numbered steps", structured.guide),
    _genre("quiz", r"quiz|trivia|multiple-choice", question.quiz),
    _genre("exam", r"exam\b|examination|test question|marking scheme", question.exam),
    _genre("dialogue", r"dialogue|dialog\b|conversation|skit|screenplay", prose.dialogue),
    _genre("comic", r"comic strip|[a-z]+-panel|comic panel|panels?\b", work.comic),
    _genre("campaign", r"campaign|marketing", structured.campaign),
    _genre("classified ad", r"classified|for sale", short.classified),
    _genre("advert", r"ad\b|ads\b|advert|commercial|promot|sales pitch|flyer", structured.advert),
    _genre("news", r"news\b(?!paper)|press release|report\b|article", prose.news),
    _genre("FAQ", r"faq|frequently asked|questions and answers"
           r"|answer (?:[a-z]+ ){0,2}questions", question.faq),
    _genre("fact sheet", r"fact[- ]?sheet|key facts", structured.fact_sheet),
    _genre("label", r"label|plaque|signage|museum text", short.label),
    _genre("hashtags", r"hashtag", short.hashtags),
    _genre("headline", r"headline|slogan|tagline|title for|catchy title", short.headline),
    _genre("accessible text", r"alt(?:ernative)?[- ]text|accessib|visually impaired|blind|"
           r"description|(?:cannot|can't) see", prose.access),
    _genre("diary", r"diary|journal", prose.diary),
    _genre("riddle", r"riddle|puzzle", question.riddle),
    _genre("lesson", r"lesson|classroom", structured.lesson),
    _genre("comparison", r"compar|contrast|pros and cons", structured.comparison),
    _genre("podcast", r"podcast|radio", work.podcast),
    _genre("speech", r"speech|toast\b|monologue|address to", prose.speech),
    _genre("interview", r"interview", question.interview),
    _genre("postcard", r"postcard|greeting card", short.postcard),
    _genre("blog", r"blog|travelogue", prose.blog),
    _genre("safety check", r"safety|hazard|inspect\b|risk", work.safety),
    _genre("packing list", r"pack\b|packing list", work.packing),
    _genre("field notes", r"field[- ]?notes|observations?\b|scientist|naturalist|log ?book",
           work.observations),
    _genre("prediction", r"predict|happens next|forecast", work.prediction),
)  # fmt: skip

# Words that often only colour a genre named later: "list six interview questions".
LOOSE = (
    _genre("dialogue", r"script", prose.dialogue),
    _genre("atmosphere", r"descriptive paragraph|ambian?ce|atmosphere|sensory|vivid paragraph",
           prose.atmosphere),
    _genre("short summary", r"short sentences|translat", short.short_sentences),
    _genre("lesson", r"teach", structured.lesson),
    _genre("list", r"list\b|checklist|inventory|bullet", short.checklist),
)  # fmt: skip

# Verbs decide only where no noun does: "Summarize the historical ..." asks for history.
FALLBACK = (
    _genre("summary", r"summar|overview|outline|gist", prose.summary),
    _genre("accessible text", r"describe|what (?:is|can)|identify", prose.access),
)
GENERIC = _genre("generic", r"", prose.generic)
GENRES = (*NAMED, *LOOSE, *FALLBACK, GENERIC)


def recognise(instruction: str) -> Genre:
    """Find the genre that an instruction asks for.

    Args:
        instruction: Any text.

    Returns:
        The genre whose word comes first in the instruction, or the generic one.
    """
    text = lower(instruction)
    for group in (NAMED, LOOSE, FALLBACK):
        hits = [(m.start(), i) for i, g in enumerate(group) if (m := g.pattern.search(text))]
        if hits:
            return group[min(hits)[1]]
    return GENERIC
