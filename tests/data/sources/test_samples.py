"""The sample photos as a source."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mmi_hpc.data import samples
from mmi_hpc.data.images import inspect
from mmi_hpc.data.records import Failure
from mmi_hpc.data.sources import Item
from mmi_hpc.data.sources.samples import SamplesSource

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("skimage") is None or importlib.util.find_spec("sklearn") is None,
    reason="the sample pictures are not installed: pip install 'mmi_hpc[samples]'",
)


def test_every_sample_is_an_image_with_its_texts(
    read_all: Callable[[Any], list[Item | Failure]],
) -> None:
    found = read_all(SamplesSource())
    items = [item for item in found if isinstance(item, Item)]
    assert [item.id for item in found] == [photo.id for photo in samples.photos()]
    assert len(items) == len(found)
    for item in items:
        assert item.data is not None
        assert inspect(item.data)[1] > 0
        assert item.description
        assert item.alt_text


@pytest.mark.parametrize("field", ["description", "alt_text", "boxes"])
def test_the_inventory_follows_the_texts_and_boxes(
    field: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    photos = samples.photos()[:2]
    monkeypatch.setattr(samples, "photos", lambda: photos)
    before = SamplesSource().inventory()
    changed = replace(photos[0], **{field: getattr(photos[0], field)[:-1]})
    monkeypatch.setattr(samples, "photos", lambda: (changed, photos[1]))
    assert SamplesSource().inventory() != before
