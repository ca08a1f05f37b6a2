"""Sample photos and seed instructions, so that a first run needs neither a network nor own data.

The pictures come inside the wheels of scikit-image and scikit-learn and are read from there; the
descriptions, alternative texts, boxes and seed instructions are ours and lie in two JSON files.
Every photo carries its origin and its licence as its package states them.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ConfigDict

from mmi_hpc.data.records import Box
from mmi_hpc.errors import SiteError
from mmi_hpc.files import load_json

_FOLDER = Path(__file__).parent
_INSTALL = "pip install 'mmi_hpc[samples]'"


@dataclass(frozen=True)
class SamplePhoto:
    """A photo that an installed package brings along, and what we wrote about it.

    Attributes:
        id: Unique, lower-case letters, digits and hyphens.
        package: The distribution that contains the file ("scikit-image").
        file: Path of the file below the folder that holds installed packages.
        crop: Left, top, right and bottom pixel of the part that is used; None for the whole file.
        description: Two to four sentences written while looking at the picture.
        alt_text: A few words, as a web page would have them.
        boxes: Up to five objects, in fractions of the photo after cropping.
        origin: Who took it and where the package has it from.
        licence: What the package states about its use.
    """

    id: str
    package: str
    file: str
    crop: tuple[int, int, int, int] | None
    description: str
    alt_text: str
    boxes: tuple[Box, ...]
    origin: str
    licence: str

    @property
    def file_name(self) -> str:
        """A file name that fits the encoded bytes: crops are PNG, other files stay as they are."""
        return self.id + (".png" if self.crop else PurePosixPath(self.file).suffix)


@dataclass(frozen=True)
class SeedInstruction:
    """An instruction of ours that shows what a reusable instruction looks like."""

    id: str
    task: str
    text: str

    __pydantic_config__ = ConfigDict(extra="forbid")


def photos() -> tuple[SamplePhoto, ...]:
    """All sample photos, ordered by id; reads no picture and needs no other package."""
    found = [_photo(entry) for entry in load_json(_FOLDER / "photos.json")]
    return tuple(sorted(found, key=lambda photo: photo.id))


def seed_instructions() -> tuple[SeedInstruction, ...]:
    """All seed instructions, in the order of their file."""
    entries = load_json(_FOLDER / "seed_instructions.json")
    return tuple(SeedInstruction(**entry) for entry in entries)


def photo_bytes(photo: SamplePhoto) -> bytes:
    """The encoded picture: the package's own bytes, or a PNG of the crop.

    The pixels of a crop are always the same; its PNG bytes can differ between zlib builds.

    Raises:
        SiteError: The package is not installed, or this version of it lacks the file.
    """
    encoded = _installed_file(photo).read_bytes()
    return encoded if photo.crop is None else _cropped(encoded, photo.crop)


def _photo(entry: dict[str, Any]) -> SamplePhoto:
    crop = entry.pop("crop")
    boxes = tuple(Box(box["label"], *map(float, box["box"])) for box in entry.pop("boxes"))
    return SamplePhoto(crop=tuple(crop) if crop else None, boxes=boxes, **entry)


def _installed_file(photo: SamplePhoto) -> Path:
    # find_spec on a top-level name locates a package without running it: importing takes seconds.
    package_folder, *below = PurePosixPath(photo.file).parts
    spec = find_spec(package_folder)
    if spec is None or spec.origin is None:
        raise SiteError(
            f"the sample photo {photo.id!r} comes with the package {photo.package}, which is not "
            f"installed here. Install it: {_INSTALL}"
        )
    path = Path(spec.origin).parent.joinpath(*below)
    if not path.is_file():
        raise SiteError(
            f"the sample photo {photo.id!r} should be at {path}, but the installed {photo.package} "
            f"does not contain it. Install a newer version: {_INSTALL} --upgrade"
        )
    return path


def _cropped(encoded: bytes, crop: tuple[int, int, int, int]) -> bytes:
    from PIL import Image

    png = BytesIO()
    with Image.open(BytesIO(encoded)) as image:
        image.crop(crop).save(png, "PNG", optimize=False, compress_level=6)
    return png.getvalue()
