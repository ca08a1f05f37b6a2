"""Small JPEG pictures for the report, as data: URLs, from image bytes that nobody has vetted."""

from __future__ import annotations

import base64
import io
import warnings
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from PIL.Image import Image as PillowImage

# Four bytes a pixel make this a quarter of a gigabyte in memory, the most one picture may cost.
MAX_PIXELS = 64_000_000

JPEG_QUALITY = 80

# What image collections hold. Pillow would also try EPS, which starts another program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "JPEG2000", "AVIF")

_EXIF_ORIENTATION = 0x0112
_WHITE = (255, 255, 255, 255)


def thumbnail(data: bytes, side: int = 384) -> str | None:
    """Makes a small picture that can stand in the page itself.

    The picture is upright (EXIF orientation applied), in RGB, on white where the original is
    transparent, never larger than the original, and carries no metadata: no place, no comment.

    Args:
        data: An encoded image in one of `FORMATS`; of an animation the first frame is taken.
        side: Longest side of the result in pixels, at least 1.

    Returns:
        A `data:image/jpeg;base64,` URL, or None if the bytes are broken, cut short, of another
        format, or hold more than `MAX_PIXELS` (or more than Pillow's own limit).
    """
    from PIL import Image

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            # Pillow only warns up to twice its own limit of pixels; here its limit is a limit.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as source:
                if source.width * source.height > MAX_PIXELS:
                    return None
                return _data_url(_shrunk(source, side))
    except Exception:
        # Decoders answer broken bytes with nearly every exception there is (SyntaxError,
        # struct.error, KeyError, MemoryError ...). One bad picture must not cost the report.
        return None


def _shrunk(source: PillowImage, side: int) -> PillowImage:
    """Returns the upright RGB picture, at most `side` pixels wide and high."""
    orientation = _orientation(source)
    source.draft(None, (2 * side, 2 * side))  # a JPEG is decoded at about the size we need
    picture = _rgb(source)
    picture.thumbnail((side, side))
    return _upright(picture, orientation)


def _rgb(image: PillowImage) -> PillowImage:
    """Converts any mode to RGB: deep grey scaled to 8 bits, transparency laid on white."""
    from PIL import Image

    if image.mode in ("I", "F") or image.mode.startswith("I;16"):
        return _eight_bits(image).convert("RGB")
    if image.has_transparency_data:
        on_white = Image.new("RGBA", image.size, _WHITE)
        on_white.alpha_composite(image.convert("RGBA"))
        return on_white.convert("RGB")
    return image.convert("RGB")


def _eight_bits(image: PillowImage) -> PillowImage:
    """Scales 16-bit, 32-bit and float grey to 8 bits; a plain conversion would clip to white."""
    values = image.convert("F")
    low, high = 0.0, 65535.0
    if not image.mode.startswith("I;16"):
        darkest, brightest = cast("tuple[float, float]", values.getextrema())
        if image.mode == "F" or darkest < 0 or brightest > high:
            # These have no fixed range, so that their own range is the only one to show.
            low, high = darkest, brightest
    scale = 255.0 / (high - low) if high > low else 1.0
    return values.point(lambda value: value * scale + (0.5 - low * scale)).convert("L")


def _orientation(image: PillowImage) -> int:
    """Returns the EXIF orientation, 1 (upright) where there is none or it cannot be read."""
    try:
        return int(image.getexif().get(_EXIF_ORIENTATION, 1))
    except Exception:
        # Photographs with broken EXIF blocks are common and otherwise fine.
        return 1


def _upright(image: PillowImage, orientation: int) -> PillowImage:
    """Undoes the rotation and mirroring that the EXIF orientation, 1 to 8, stands for."""
    from PIL import Image

    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(orientation)
    return image if turn is None else image.transpose(turn)


def _data_url(picture: PillowImage) -> str:
    picture.info = {}  # Pillow would copy the comment of the original into the JPEG
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=JPEG_QUALITY, optimize=True)
    return "data:image/jpeg;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")
