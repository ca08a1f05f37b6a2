"""Any decodable image becomes a small upright JPEG without metadata; anything else is None."""

from __future__ import annotations

import base64
import io
import random
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from mmi_hpc.report import thumbnails
from mmi_hpc.report.thumbnails import thumbnail

PREFIX = "data:image/jpeg;base64,"


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def decoded(data: bytes, side: int = 384) -> Image.Image:
    url = thumbnail(data, side)
    assert url is not None
    assert url.startswith(PREFIX)
    image = Image.open(io.BytesIO(base64.b64decode(url[len(PREFIX) :], validate=True)))
    image.load()
    assert image.format == "JPEG"
    return image


def near(image: Image.Image, place: tuple[int, int], colour: tuple[int, int, int]) -> bool:
    pixel = image.getpixel(place)
    assert isinstance(pixel, tuple)
    return all(abs(a - b) <= 12 for a, b in zip(pixel, colour, strict=True))


def noise(width: int, height: int) -> Image.Image:
    return Image.frombytes("RGB", (width, height), random.Random(0).randbytes(3 * width * height))


def png_header(width: int, height: int) -> bytes:
    """A PNG that announces a size and holds next to nothing."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 64)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


def test_the_longest_side_is_kept_to_and_the_shape_stays() -> None:
    assert decoded(encoded(noise(1000, 500), "PNG"), side=100).size == (100, 50)


def test_a_small_picture_is_not_blown_up() -> None:
    assert decoded(encoded(noise(20, 10), "PNG")).size == (20, 10)


def test_an_extreme_shape_keeps_at_least_one_pixel() -> None:
    assert decoded(encoded(Image.new("L", (5000, 1)), "PNG"), side=64).size == (64, 1)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_ends_upright(orientation: int) -> None:
    # Four corners of four colours, stored as a camera would that was held this way.
    corners = {(0, 0): "red", (1, 0): "lime", (0, 1): "blue", (1, 1): "white"}
    upright = Image.new("RGB", (64, 32))
    for (x, y), colour in corners.items():
        upright.paste(colour, (32 * x, 16 * y, 32 * x + 32, 16 * y + 16))
    turn = Image.Transpose
    stored = {
        2: turn.FLIP_LEFT_RIGHT,
        3: turn.ROTATE_180,
        4: turn.FLIP_TOP_BOTTOM,
        5: turn.TRANSPOSE,
        6: turn.ROTATE_90,
        7: turn.TRANSVERSE,
        8: turn.ROTATE_270,
    }
    image = upright.transpose(stored[orientation]) if orientation > 1 else upright
    exif = Image.Exif()
    exif[0x0112] = orientation

    shown = decoded(encoded(image, "JPEG", exif=exif, quality=95, subsampling=0))

    assert shown.size == (64, 32)
    assert near(shown, (8, 6), (255, 0, 0))
    assert near(shown, (56, 6), (0, 255, 0))
    assert near(shown, (8, 26), (0, 0, 255))
    assert near(shown, (56, 26), (255, 255, 255))


def test_a_broken_exif_block_does_not_cost_the_picture() -> None:
    data = encoded(noise(40, 20), "JPEG", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff")
    assert decoded(data).size == (40, 20)


def test_place_and_comment_of_the_original_do_not_travel_along() -> None:
    exif = Image.Exif()
    exif[0x010E] = "taken at my house"
    data = encoded(noise(40, 20), "JPEG", exif=exif, comment=b"a secret comment")
    assert b"my house" in data
    url = thumbnail(data)
    assert url is not None
    made = base64.b64decode(url[len(PREFIX) :])
    assert b"my house" not in made
    assert b"secret" not in made


@pytest.mark.parametrize("format", ["JPEG", "TIFF"])
def test_cmyk_is_shown_in_its_colours(format: str) -> None:
    cyan = Image.new("CMYK", (32, 32), (255, 0, 0, 0))
    assert near(decoded(encoded(cyan, format)), (16, 16), (0, 255, 255))


@pytest.mark.parametrize(("value", "grey"), [(0, 0), (257 * 100, 100), (65535, 255)])
@pytest.mark.parametrize("format", ["PNG", "TIFF"])
def test_16_bit_grey_is_scaled_and_not_clipped(format: str, value: int, grey: int) -> None:
    deep = Image.frombytes("I;16", (8, 8), struct.pack("<H", value) * 64)
    assert near(decoded(encoded(deep, format)), (4, 4), (grey, grey, grey))


@pytest.mark.parametrize(("mode", "values"), [("F", (-2.5, 7.5)), ("I", (-70_000, 900_000))])
def test_grey_without_a_fixed_range_is_shown_over_its_own(
    mode: str, values: tuple[float, float]
) -> None:
    image = Image.new(mode, (32, 16), values[0])
    image.paste(values[1], (16, 0, 32, 16))
    shown = decoded(encoded(image, "TIFF"))
    assert near(shown, (4, 8), (0, 0, 0))
    assert near(shown, (28, 8), (255, 255, 255))


def test_a_plain_float_picture_is_no_division_by_zero() -> None:
    assert decoded(encoded(Image.new("F", (4, 4), 3.0), "TIFF")).size == (4, 4)


def test_a_palette_with_transparency_lies_on_white() -> None:
    image = Image.new("P", (32, 16), 0)
    image.putpalette([0, 0, 0, 200, 0, 0])
    image.paste(1, (16, 0, 32, 16))
    shown = decoded(encoded(image, "PNG", transparency=0))
    assert near(shown, (4, 8), (255, 255, 255))
    assert near(shown, (28, 8), (200, 0, 0))


@pytest.mark.parametrize(("mode", "ink"), [("RGBA", (0, 0, 0, 0)), ("LA", (0, 0))])
def test_alpha_lies_on_white(mode: str, ink: tuple[int, ...]) -> None:
    clear = Image.new(mode, (8, 8), ink)
    assert near(decoded(encoded(clear, "PNG")), (4, 4), (255, 255, 255))


def test_of_an_animation_the_first_frame_is_shown() -> None:
    frames = [Image.new("RGB", (16, 16), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert near(decoded(data), (8, 8), (255, 0, 0))


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "BMP"])
def test_a_file_that_is_cut_short_is_none(format: str) -> None:
    data = encoded(noise(64, 64), format)
    assert thumbnail(data) is not None
    assert thumbnail(data[: len(data) // 2]) is None


@pytest.mark.parametrize("data", [b"", b"not an image", b"<svg/>", b"\xff\xd8\xff", b"\x89PNG\r\n"])
def test_what_is_no_image_is_none(data: bytes) -> None:
    assert thumbnail(data) is None


def test_damaged_bytes_never_raise() -> None:
    draw = random.Random(7)
    for format in ("JPEG", "PNG", "GIF", "TIFF", "WEBP"):
        whole = encoded(noise(24, 24), format)
        for _ in range(40):
            damaged = bytearray(whole)
            for _ in range(6):
                damaged[draw.randrange(len(damaged))] = draw.randrange(256)
            url = thumbnail(bytes(damaged))
            assert url is None or url.startswith(PREFIX)


@pytest.mark.parametrize("format", ["EPS", "PPM", "PCX", "PDF"])
def test_only_the_listed_formats_are_opened(format: str) -> None:
    # EPS would start another program; the others show that the list decides, not what is installed.
    assert thumbnail(encoded(noise(24, 24), format)) is None


def test_a_picture_with_too_many_pixels_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("L", (100, 100)), "PNG")
    monkeypatch.setattr(thumbnails, "MAX_PIXELS", 10_000)
    assert thumbnail(data) is not None
    monkeypatch.setattr(thumbnails, "MAX_PIXELS", 9_999)
    assert thumbnail(data) is None


def test_pillows_own_limit_is_a_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encoded(Image.new("L", (100, 100)), "PNG")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 9_999)  # one pixel over: Pillow only warns
    assert thumbnail(data) is None


def test_a_bomb_is_refused_by_its_header() -> None:
    assert thumbnail(png_header(60_000, 60_000)) is None


def test_equal_bytes_give_equal_thumbnails() -> None:
    data = encoded(noise(300, 200), "JPEG")
    assert thumbnail(data) == thumbnail(data)
