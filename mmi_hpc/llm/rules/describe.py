"""Describing an image from its alt text and its boxes, without seeing it."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from mmi_hpc.llm.rules.brief import listing
from mmi_hpc.llm.rules.lexicon import NUMBERS
from mmi_hpc.llm.rules.text import capitalised, clipped, lower, plain, sentences, squeeze

MAX_LABELS = 5
_SIDES = ("left", "centre", "right")
_FILE_NAME = re.compile(r"^(?:https?://|www\.)|^[\w.-]+\.(?:jpe?g|png|gif|webp|tiff?|bmp)$", re.I)
_CAMERA_NAME = re.compile(r"^(?:img|dsc|dscn|image|photo|pic|untitled)[ _-]*[0-9]*$", re.I)
_IRREGULAR = {
    "person": "people", "man": "men", "woman": "women", "child": "children", "knife": "knives",
    "mouse": "mice", "sheep": "sheep", "skis": "skis", "scissors": "scissors", "foot": "feet",
    "wolf": "wolves", "leaf": "leaves", "broccoli": "broccoli", "luggage": "luggage",
}  # fmt: skip


def describe(alt_text: str, boxes: Sequence[object]) -> str:
    """Say in one to three sentences what the alt text and the boxes tell.

    Args:
        alt_text: Text that came with the image; a file name or an address says nothing.
        boxes: Mappings with `label` and `box` = [x1, y1, x2, y2], as fractions of the image or
            as pixels (then the rightmost edge stands for the image's width). Broken ones are
            passed over.

    Returns:
        The description, or "" where there is nothing to say.
    """
    return " ".join(part for part in (_alt_sentence(alt_text), *_box_sentences(boxes)) if part)


def _alt_sentence(alt_text: str) -> str:
    flat = squeeze(alt_text)
    if _FILE_NAME.match(flat) or _CAMERA_NAME.match(flat):
        return ""
    found = sentences(plain(flat))
    return capitalised(clipped(found[0])) if found else ""


def _box_sentences(boxes: Sequence[object]) -> list[str]:
    middles: dict[str, list[float]] = {}
    parsed = [item for item in map(_parsed, boxes) if item is not None]
    width = max((x2 for _, _, x2 in parsed), default=1.0)
    scale = 1.0 if width <= 1.0 else width
    for label, x1, x2 in parsed:
        middles.setdefault(label, []).append((x1 + x2) / 2 / scale)
    if not middles:
        return []
    groups = sorted(middles.items(), key=lambda item: (-len(item[1]), item[0]))[:MAX_LABELS]
    counted = listing(tuple(_counted(label, len(xs)) for label, xs in groups))
    be = "is" if len(groups[0][1]) == 1 else "are"
    return [f"There {be} {counted} in view.", f"{capitalised(_placed(groups))}."]


def _parsed(item: object) -> tuple[str, float, float] | None:
    if not isinstance(item, Mapping):
        return None
    label, box = item.get("label"), item.get("box")
    if not isinstance(label, str) or not isinstance(box, Sequence) or len(box) != 4:
        return None
    if not all(isinstance(v, (int, float)) and math.isfinite(v) for v in box):
        return None
    name = lower(" ".join(squeeze(plain(label)).split()[:4]))[:40].strip(" .,;:!?")
    return (name, float(box[0]), float(box[2])) if name else None


def _counted(label: str, count: int) -> str:
    if count == 1:
        article = "an" if label[0] in "aeiou" else "a"
        return f"{article} {label}"
    word = NUMBERS[count] if count < len(NUMBERS) else str(count)
    return f"{word} {plural(label)}"


def _placed(groups: list[tuple[str, list[float]]]) -> str:
    """Say where the labels are, naming a place once for all that share it."""
    shared: dict[str, list[tuple[str, int]]] = {}
    for label, xs in groups:
        name = f"the {label}" if len(xs) == 1 else f"the {plural(label)}"
        shared.setdefault(_where(xs), []).append((name, len(xs)))
    clauses: list[str] = []
    for where, names in shared.items():
        be = "is" if len(names) == 1 and names[0][1] == 1 else "are"
        clauses.append(f"{listing(tuple(name for name, _ in names))} {be} {where}")
    return listing(tuple(clauses)) if len(clauses) != 2 else ", and ".join(clauses)


def _where(xs: list[float]) -> str:
    found = {_SIDES[min(2, max(0, int(x * 3)))] for x in xs}
    if len(found) == len(_SIDES):
        return "spread across the frame"
    places = [side for side in _SIDES if side in found]
    return " and ".join(("in the " if p == "centre" else "on the ") + p for p in places)


def plural(label: str) -> str:
    """Return the plural of a lower-case label such as "wine glass"."""
    head, _, last = label.rpartition(" ")
    if last in _IRREGULAR:
        last = _IRREGULAR[last]
    elif last.endswith(("s", "x", "z", "ch", "sh")):
        last += "es"
    elif last.endswith("y") and last[-2:-1] not in tuple("aeiou"):
        last = last[:-1] + "ies"
    elif "a" <= last[-1:] <= "z":
        last += "s"
    return f"{head} {last}".strip()
