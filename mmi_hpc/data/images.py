"""Decoding images that nobody has vetted: limits first, then one rule for every colour mode."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 200_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


# EXIF orientation -> Pillow's name of the turn that undoes it.
_ORIENTATION = 0x0112
_UPRIGHT = {
    2: "FLIP_LEFT_RIGHT",
    3: "ROTATE_180",
    4: "FLIP_TOP_BOTTOM",
    5: "TRANSPOSE",
    6: "ROTATE_270",
    7: "TRANSVERSE",
    8: "ROTATE_90",
}


class BadImageError(ValueError):
    """The bytes are no image that can be used; the message is the reason."""


def inspect(data: bytes, *, max_pixels: int = MAX_PIXELS) -> tuple[str, int, int]:
    """Decode an image fully and return (format, width, height) as it will be seen.

    Raises:
        BadImageError: Empty, truncated, not one of `FORMATS`, or larger than `max_pixels`.
    """
    image, name = _open(data, max_pixels)
    width, height = image.size
    return name, width, height


def decode_rgb(data: bytes, *, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode to 8-bit RGB: upright by EXIF, alpha over white, 16-bit grey scaled to 8.

    Raises:
        BadImageError: As `inspect`.
    """
    from PIL import Image

    image, _ = _open(data, max_pixels)
    if image.mode.startswith("I"):
        return _grey16_to_rgb(image)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image.convert("RGBA")
        white = Image.new("RGBA", layer.size, "white")
        return Image.alpha_composite(white, layer).convert("RGB")
    return image.convert("RGB")


def _open(data: bytes, max_pixels: int) -> tuple[Image.Image, str]:
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise BadImageError("the file is empty (0 bytes)")
    try:
        with _own_pixel_limit():
            image = Image.open(BytesIO(data), formats=FORMATS)
            width, height = image.size
            if width * height > max_pixels:
                raise BadImageError(
                    f"it would decode to {width} x {height} pixels, more than {max_pixels:,}"
                )
            # Phones append a second picture to a JPEG, which makes it an MPO to Pillow alone.
            name = "JPEG" if image.format == "MPO" else str(image.format)
            image.load()
            return _upright(image), name
    except UnidentifiedImageError as error:
        raise BadImageError("it is not an image of a known format") from error
    except BadImageError:
        raise
    except Exception as error:  # decoders raise almost anything on damaged input
        raise BadImageError(f"it cannot be decoded: {error}") from error


@contextmanager
def _own_pixel_limit() -> Iterator[None]:
    """Lift Pillow's limit of pixels, which is below ours and would make a larger one useless."""
    from PIL import Image

    limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        Image.MAX_IMAGE_PIXELS = limit


def _upright(image: Image.Image) -> Image.Image:
    """Turn the image as its EXIF orientation says.

    Pillow's own function also rewrites the EXIF block, which fails on the broken blocks that many
    cameras and editors write, although the pixels are sound.
    """
    from PIL import Image

    try:
        turn = _UPRIGHT.get(image.getexif().get(_ORIENTATION, 1))
    except Exception:  # an EXIF block that cannot be read says nothing about the pixels
        turn = None
    return image.transpose(Image.Transpose[turn]) if turn else image


def _grey16_to_rgb(image: Image.Image) -> Image.Image:
    """Pillow would clip 16-bit values at 255 and turn most pictures white."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image).astype(np.int64)
    grey = (values >> 8 if values.max(initial=0) > 255 else values).clip(0, 255)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
