"""The joints between a general instruction and its specific tail.

`propose` puts them in and `summarise` takes them out, so both read this one list.
"""

from __future__ import annotations

JOINS = (
    ", focusing on ",
    ", inspired by ",
    ", with attention to ",
    ", built around ",
    ", highlighting ",
    " that features ",
    " about ",
)

PADDING = " for this image"
"""What a very short instruction gets before its tail."""

LEAST_WORDS = 7
MOST_WORDS = 30
FALLBACK_INSTRUCTION = "Write about what stands out in the image."

_IMAGE_WORDS = ("image", "photo", "picture", "scene")


def names_image(text: str) -> bool:
    """Tell whether a text speaks of the image as such."""
    return any(word in text.lower() for word in _IMAGE_WORDS)
