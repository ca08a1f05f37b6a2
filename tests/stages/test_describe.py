"""Descriptions: taken as given, or asked for with the picture in a form that servers take."""

from __future__ import annotations

import io
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mmi_hpc.data.image_shard import ImageEntry
from mmi_hpc.data.images import decode_rgb
from mmi_hpc.data.records import Box, Description, Failure, ImageRecord
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.llm.settings import LlmSettings
from mmi_hpc.stages import describe

OPENAI = LlmSettings(engine="openai", model="m")


def entry(name: str, data: bytes = b"", **others: Any) -> ImageEntry:
    return ImageEntry(ImageRecord(name, width=64, height=64, **others), data)


def encoded(image: Image.Image, name: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name)
    return buffer.getvalue()


def test_a_given_description_is_taken_word_for_word() -> None:
    record = ImageRecord("a", description="  Two cats.\nOne dog. ")
    assert describe._given(record) == Description("a", "  Two cats.\nOne dog. ", "given")


def test_an_image_without_a_given_description_is_a_failure_that_says_what_to_set() -> None:
    failure = describe._given(ImageRecord("a"))
    assert isinstance(failure, Failure)
    assert "describe.by=llm" in failure.reason


@pytest.mark.parametrize(
    ("name", "media_type"), [("JPEG", "image/jpeg"), ("PNG", "image/png"), ("WEBP", "image/webp")]
)
def test_what_servers_take_is_sent_as_it_is(name: str, media_type: str) -> None:
    data = encoded(Image.new("RGB", (8, 8), "red"), name)
    question = describe._question(entry("a", data, format=name), OPENAI)
    assert (question.image, question.image_type) == (data, media_type)


@pytest.mark.parametrize("name", ["BMP", "TIFF", "GIF", "PPM"])
def test_other_encodings_are_sent_as_png_with_the_same_pixels(name: str) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (6, 5, 3), np.uint8)
    data = encoded(Image.fromarray(pixels), name)
    question = describe._question(entry("a", data, format=name), OPENAI)
    assert question.image_type == "image/png"
    assert question.image is not None
    with Image.open(io.BytesIO(question.image)) as shown:
        assert shown.format == "PNG"
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(decode_rgb(data)))


def test_the_rules_engine_gets_words_and_no_pixels() -> None:
    box = Box("cat", 0.1, 0.2, 0.3, 0.4)
    given = entry("a", b"pixels", format="JPEG", alt_text="a cat", boxes=(box,))
    question = describe._question(given, LlmSettings())
    assert question.image is None
    assert question.facts == {
        "alt_text": "a cat",
        "boxes": [{"label": "cat", "box": [0.1, 0.2, 0.3, 0.4]}],
    }


def test_a_record_without_pixels_is_asked_about_by_its_words() -> None:
    question = describe._question(entry("a", description="Two cats."), OPENAI)
    assert question.image is None
    assert question.facts["alt_text"] == "Two cats."


def test_replies_become_descriptions_or_failures_in_the_order_of_the_images(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    replies = [
        ChatReply(" A cat.\n", "stop", "served"),
        ChatReply("  ", "stop", "served"),
        ChatReply("", "error", "", error="status 400: no"),
        ChatReply("A dog that", "length", "served"),
    ]
    judged = []

    def note(*_: object, usable: Callable[[ChatReply], bool]) -> list[ChatReply]:
        judged.extend(map(usable, replies))
        return replies

    monkeypatch.setattr(describe, "ask_all", note)
    found = list(describe._written([entry(name) for name in "abcd"], OPENAI, SimpleNamespace()))
    assert found == [
        Description("a", "A cat.", "openai", "served"),
        Failure("b", "no description: the reply is empty"),
        Failure("c", "no description: status 400: no"),
        Failure("d", "no description: the reply was cut off by max_tokens"),
    ]
    assert judged == [isinstance(row, Description) for row in found]


def test_a_broken_image_is_one_failure_and_not_the_end_of_its_shard(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An image may be damaged on disk after it was taken in."""
    monkeypatch.setattr(
        describe,
        "ask_all",
        lambda _, questions, *__, **___: [ChatReply("fine", "stop", "m") for _ in questions],
    )
    good = encoded(Image.new("RGB", (8, 8), "red"), "BMP")
    images = [entry("a", good, format="BMP"), entry("b", good[:60], format="BMP")]
    found = {type(row): row for row in describe._written(images, OPENAI, SimpleNamespace())}
    assert found[Description] == Description("a", "fine", "openai", "m")
    assert found[Failure].id == "b"
