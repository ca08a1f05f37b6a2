"""Summarising a cluster: the general part that its members share, as one instruction."""

from __future__ import annotations

from collections.abc import Sequence

from mmi_hpc.llm.rules.joins import FALLBACK_INSTRUCTION, JOINS, PADDING, names_image
from mmi_hpc.llm.rules.propose import base
from mmi_hpc.llm.rules.text import lower

_LEAST_GENERAL_WORDS = 3
_LEAST_READABLE_WORDS = 5


def summarise(members: Sequence[str]) -> str:
    """Return the general instruction of a cluster.

    The general part that most members share wins; on a tie the medoid's, then the shorter, then
    the first in the alphabet. Where nothing general remains, the medoid itself is made general.

    Args:
        members: Instructions, the medoid first; at least one.

    Returns:
        One line that ends with a period.

    Raises:
        ValueError: There are no members.
    """
    if not members:
        raise ValueError("cannot summarise a cluster without members; pass at least the medoid.")
    medoid = general(members[0])
    votes: dict[str, int] = {}
    wording: dict[str, str] = {}
    for member in members:
        text = general(member)
        if len(text.split()) >= _LEAST_GENERAL_WORDS:
            votes[lower(text)] = votes.get(lower(text), 0) + 1
            wording.setdefault(lower(text), text)
    if not votes:
        whole = base(members[0])
        return f"{whole} for the image." if whole else FALLBACK_INSTRUCTION
    best = min(votes, key=lambda key: (-votes[key], key != lower(medoid), len(key), key))
    text = wording[best]
    short = len(text.split()) < _LEAST_READABLE_WORDS and not names_image(text)
    return f"{text} inspired by the image." if short else f"{text}."


def general(instruction: str) -> str:
    """Take the specific tail off an instruction; no number, no end mark.

    A tail that speaks of the image itself is general and stays, and so does one without which
    hardly anything would remain.
    """
    text = base(instruction)
    cut, joint = max((lower(text).rfind(joint), joint) for joint in JOINS)
    if cut >= 0 and not names_image(text[cut + len(joint) :]):
        text = _unless_bare(text[:cut], text)
    return _unless_bare(text.removesuffix(PADDING), text)


def _unless_bare(shorter: str, text: str) -> str:
    return shorter if len(shorter.split()) >= _LEAST_GENERAL_WORDS else text
