"""Decoding images that nobody has vetted: limits first, then one rule for every colour mode."""

from __future__ import annotations

import warnings
from io import BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL import Image

MAX_PIXELS = 200_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM")


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
    from PIL import Image, ImageOps, UnidentifiedImageError

    if not data:
        raise BadImageError("the file is empty (0 bytes)")
    try:
        with warnings.catch_warnings():
            # Our own limit below replaces Pillow's warning about large images.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            image = Image.open(BytesIO(data), formats=FORMATS)
            width, height = image.size
            if width * height > max_pixels:
                raise BadImageError(
                    f"it would decode to {width} x {height} pixels, more than {max_pixels:,}"
                )
            name = str(image.format)
            image.load()
            return ImageOps.exif_transpose(image), name
    except UnidentifiedImageError as error:
        raise BadImageError("it is not an image of a known format") from error
    except BadImageError:
        raise
    except Exception as error:  # decoders raise almost anything on damaged input
        raise BadImageError(f"it cannot be decoded: {error}") from error


def _grey16_to_rgb(image: Image.Image) -> Image.Image:
    """Pillow would clip 16-bit values at 255 and turn most pictures white."""
    import numpy as np
    from PIL import Image

    values = np.asarray(image).astype(np.int64)
    grey = (values >> 8 if values.max(initial=0) > 255 else values).clip(0, 255)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
