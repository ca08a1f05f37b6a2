"""Which kind of text an instruction asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from mmi_hpc.llm.rules import prose_forms as prose
from mmi_hpc.llm.rules import short_forms as short
from mmi_hpc.llm.rules import structured_forms as structured
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
    _genre("social post", r"social|instagram|tweet|facebook|linkedin|tiktok", prose.social),
    _genre("story", r"(?:short )?stor(?:y|ies)|narrative|tale\b|fable|fairy", prose.story),
    _genre("poem", r"poem|poetry|verse|limerick|sonnet|song|lyrics|rhyme", short.poem),
    _genre("haiku", r"haiku", short.haiku),
    _genre("tasting note", r"tasting", structured.tasting),
    _genre("review", r"(?:product )?review", structured.review),
    _genre("recipe", r"recipe|cocktail instructions", structured.recipe),
    _genre("plan", r"itinerar|(?:two|three|four|five|[2-5])[- ]day|day trip|travel plan|schedule"
           r"|plan\b|agenda", structured.plan),
    _genre("analysis", r"anal[yi]|critique|interpret", structured.analysis),
    _genre("history", r"histor", structured.history),
    _genre("letter", r"letter|e-?mail|thank-you note|invitation", prose.letter),
    _genre("guide", r"guide|how-to|how to\b|tutorial|step-by-step|instructions for|manual|tips",
           structured.guide),
    _genre("quiz", r"quiz|trivia|multiple-choice", short.quiz),
    _genre("dialogue", r"dialogue|dialog\b|conversation|skit|script|screenplay", prose.dialogue),
    _genre("campaign", r"campaign|marketing", structured.campaign),
    _genre("advert", r"ad\b|ads\b|advert|commercial|promot|sales pitch|flyer", structured.advert),
    _genre("news", r"news|press release|report\b|article", prose.news),
    _genre("fact sheet", r"fact[- ]?sheet|faq|frequently asked|key facts|questions and answers",
           structured.fact_sheet),
    _genre("label", r"label|plaque|signage|museum text", short.label),
    _genre("hashtags", r"hashtag", short.hashtags),
    _genre("headline", r"headline|slogan|tagline|title for|catchy title", short.headline),
    _genre("accessible text", r"alt(?:ernative)?[- ]text|accessib|visually impaired|blind|"
           r"description|(?:cannot|can't) see", prose.access),
    _genre("atmosphere", r"descriptive paragraph|ambian?ce|atmosphere|sensory|vivid paragraph",
           prose.atmosphere),
    _genre("diary", r"diary|journal", prose.diary),
    _genre("riddle", r"riddle|puzzle", short.riddle),
    _genre("lesson", r"lesson|classroom|teach", structured.lesson),
    _genre("comparison", r"compar|contrast|pros and cons", structured.comparison),
    _genre("speech", r"speech|toast\b|monologue|address to|podcast", prose.speech),
    _genre("interview", r"interview", prose.interview),
    _genre("postcard", r"postcard|greeting card", short.postcard),
    _genre("blog", r"blog|travelogue", prose.blog),
    _genre("list", r"list\b|checklist|inventory|bullet", short.checklist),
)  # fmt: skip

# Verbs decide only where no noun does: "Summarize the historical ..." asks for history.
FALLBACK = (
    _genre("summary", r"summar|overview|outline|gist", prose.summary),
    _genre("accessible text", r"describe|what (?:is|can)|identify", prose.access),
)
GENERIC = _genre("generic", r"", prose.generic)
GENRES = (*NAMED, *FALLBACK, GENERIC)


def recognise(instruction: str) -> Genre:
    """Find the genre that an instruction asks for.

    Args:
        instruction: Any text.

    Returns:
        The genre whose word comes first in the instruction, or the generic one.
    """
    text = lower(instruction)
    for group in (NAMED, FALLBACK):
        hits = [(m.start(), i) for i, g in enumerate(group) if (m := g.pattern.search(text))]
        if hits:
            return group[min(hits)[1]]
    return GENERIC
