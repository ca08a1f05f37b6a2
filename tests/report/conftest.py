"""A small complete report that the tests of this folder share."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from PIL import Image

from mmi_hpc.report import Card, FailureExample, FlagCount, FunnelStep, Report


def _png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (60, 40), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def _filled(text: str, cards: int = 3) -> Report:
    """Returns a report in which every free text is `text`, with one card of each kind of image."""
    pictures = (_png(), None, b"not an image")
    return Report(
        title=text,
        run_name=text,
        created=text,
        summary=((text, text),),
        funnel=(
            FunnelStep(text, 100, 4, 12.0, text),
            FunnelStep(text, 96, 0, None, text),
        ),
        flags=(FlagCount(text, 2, True, text, text), FlagCount("other", 0, False, text, text * 2)),
        cards=tuple(
            Card(
                record_id=text if index == 0 else f"{text}{index}",
                image=pictures[index % 3],
                image_name=text,
                alt_text=text,
                description=text,
                instruction=text,
                answer=text,
                flags=(text,) if index % 2 == 0 else (),
                exported=index % 2 == 1,
                provenance=((text, text),),
            )
            for index in range(cards)
        ),
        total_records=12_345,
        failures=(FailureExample(text, text, text, 4),),
    )


@pytest.fixture
def filled() -> Callable[..., Report]:
    """Returns the maker of a report in which every free text is the given one."""
    return _filled


@pytest.fixture
def report() -> Report:
    """Returns a harmless report with three cards."""
    return _filled("plain words")
