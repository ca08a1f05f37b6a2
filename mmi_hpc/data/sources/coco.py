"""COCO annotations: `captions_*.json` and `instances_*.json` beside a folder of images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import xxhash

from mmi_hpc.config.settings import Place, Settings
from mmi_hpc.data.records import Box, Failure
from mmi_hpc.data.sources.base import (
    Item,
    Slice,
    cut,
    digest_collection,
    existing,
    image_bytes,
    inside,
    joined,
    tidy,
)
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import digest_file, load_json


class CocoSource(Settings):
    """Images with five captions each, used as one description, and boxes with category names.

    Attributes:
        captions: The captions file, or None.
        instances: The instances file, or None. One of the two is needed.
        images: The folder of the images; None for texts without pixels.
    """

    kind: Literal["coco"] = "coco"
    captions: Place | None = None
    instances: Place | None = None
    images: Place | None = None

    def inventory(self) -> str:
        """Digest of the annotation files, and of the images that they name.

        The annotations count by content; the images, too, unless they are beyond
        `CONTENT_LIMIT_BYTES` in all: then one that changes without changing its size is not
        noticed, and `store/ingest` can be removed to take it in again.
        """
        self._check_places()
        hasher = xxhash.xxh3_128()
        for path in (self.captions, self.instances):
            hasher.update(digest_file(path).encode() if path is not None else b"none")
        if self.images is not None:
            hasher.update(digest_collection(self._image_files).encode())
        return hasher.hexdigest()

    def slices(self, rows: int) -> Iterator[Slice]:
        """Cut the list of images by id."""
        if not self._images:
            raise ConfigError("the COCO files of ingest.source list no images.")
        # A malformed annotation is to be found before any work starts.
        _ = self._captions, self._boxes
        for ids in cut(sorted(self._images), rows):
            yield {"rows": len(ids), "ids": list(ids)}

    def read(self, part: Slice) -> Iterator[Item | Failure]:
        """Join captions, boxes and pixels of the images of one slice."""
        self._check_places()
        for image_id in part["ids"]:
            yield self._item(image_id)

    def _check_places(self) -> None:
        for path in (self.captions, self.instances):
            if path is not None:
                existing(path, "the COCO file", folder=False)
        if self.images is not None:
            existing(self.images, "the image folder", folder=True)

    def _image_files(self) -> Iterator[tuple[int, Path | None]]:
        for image_id in sorted(self._images):
            name = str(self._images[image_id].get("file_name", ""))
            yield image_id, inside(self.images, name) if self.images else None

    def _item(self, image_id: int) -> Item | Failure:
        entry = self._images[image_id]
        name = str(entry.get("file_name", ""))
        description = joined(self._captions.get(image_id, ()))
        data = image_bytes(self.images, name)
        if isinstance(data, str):
            return Failure(str(image_id), data)
        boxes = tuple(self._boxes.get(image_id, ()))
        return Item(str(image_id), name, data, description=description, boxes=boxes)

    @cached_property
    def _files(self) -> list[dict[str, Any]]:
        paths = [path for path in (self.captions, self.instances) if path is not None]
        if not paths:
            raise ConfigError("ingest.source of kind coco needs `captions` or `instances`.")
        contents = []
        for path in paths:
            try:
                content = load_json(existing(path, "the COCO file", folder=False))
            except ValueError as error:
                raise ConfigError(f"{error}. Correct ingest.source.") from error
            if not isinstance(content, dict) or "images" not in content:
                raise ConfigError(f"{path} is no COCO file: it has no list `images`.")
            contents.append(content)
        return contents

    @cached_property
    def _images(self) -> dict[int, dict[str, Any]]:
        with _malformed_is_a_wrong_setting():
            return {int(i["id"]): i for content in self._files for i in content["images"]}

    @cached_property
    def _captions(self) -> dict[int, list[str]]:
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        with _malformed_is_a_wrong_setting():
            for annotation in self._annotations("caption"):
                text = tidy(str(annotation["caption"]))
                found[int(annotation["image_id"])].append((int(annotation["id"]), text))
        return {image: [text for _, text in sorted(texts)] for image, texts in found.items()}

    @cached_property
    def _boxes(self) -> dict[int, list[Box]]:
        found: dict[int, list[Box]] = defaultdict(list)
        with _malformed_is_a_wrong_setting():
            names = {
                category["id"]: tidy(str(category["name"]))
                for content in self._files
                for category in content.get("categories", ())
            }
            for annotation in self._annotations("bbox"):
                label = names.get(annotation.get("category_id"), "object")
                image_id = int(annotation["image_id"])
                if box := _box(label, annotation["bbox"], self._images.get(image_id, {})):
                    found[image_id].append(box)
        return dict(found)

    def _annotations(self, field: str) -> Iterator[dict[str, Any]]:
        for content in self._files:
            yield from (a for a in content.get("annotations", ()) if field in a)


@contextmanager
def _malformed_is_a_wrong_setting() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise ConfigError(
            "the COCO files of ingest.source are malformed: an image, category or annotation "
            f"lacks a field or holds a wrong type ({error!r}). Correct them and try again."
        ) from error


def _box(label: str, bbox: Any, image: dict[str, Any]) -> Box | None:
    """A box (left, top, width, height) in pixels, as shares of an image whose size is known."""
    width, height = float(image.get("width", 0)), float(image.get("height", 0))
    if not (width > 0 and height > 0):
        return None
    x, y, w, h = (float(number) for number in bbox)
    corners = (x / width, y / height, (x + w) / width, (y + h) / height)
    return Box(label, *(round(min(1.0, max(0.0, c)), 3) for c in corners))
