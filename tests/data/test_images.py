"""Images that nobody has vetted: every colour mode becomes RGB, and bad bytes become a reason."""

from __future__ import annotations

import io
import random
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from mmi_hpc.data.images import BadImageError, decode_rgb, inspect

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)


def encoded(image: Image.Image, format_name: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format_name, **options)
    return buffer.getvalue()


def scene() -> Image.Image:
    """32 x 16: left half red with a green top-left corner, right half blue."""
    image = Image.new("RGB", (32, 16), BLUE)
    image.paste(RED, (0, 0, 16, 16))
    image.paste(GREEN, (0, 0, 8, 8))
    return image


def with_orientation(orientation: int) -> bytes:
    """The scene, stored so that a viewer which obeys EXIF shows it upright."""
    undo = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    stored = scene().transpose(undo[orientation]) if orientation in undo else scene()
    exif = Image.Exif()
    exif[0x0112] = orientation
    return encoded(stored, "JPEG", exif=exif, quality=95, subsampling=0)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_photos_stand_upright_whatever_their_exif_says(orientation: int) -> None:
    data = with_orientation(orientation)
    assert inspect(data) == ("JPEG", 32, 16)
    image = decode_rgb(data)
    assert (image.mode, image.size) == ("RGB", (32, 16))
    difference = np.abs(np.asarray(image, int) - np.asarray(scene(), int))
    assert difference.mean() < 6


@pytest.mark.parametrize("orientation", [0, 9, 99])
def test_an_orientation_that_does_not_exist_is_ignored(orientation: int) -> None:
    assert inspect(with_orientation(orientation)) == ("JPEG", 32, 16)


def test_a_broken_exif_block_does_not_cost_the_picture() -> None:
    generator = random.Random(5)
    orientation = struct.pack(">HHIHH", 0x0112, 3, 1, 6, 0)
    for _ in range(200):
        tags = b"".join(
            struct.pack(
                ">HHII",
                generator.choice([0x010F, 0x8769, 0x8825, 0x829A, generator.randrange(65536)]),
                generator.randrange(14),
                generator.choice([0, 1, 3, 1000, 2**31]),
                generator.choice([0, 8, 26, 10**6, generator.randrange(2**32)]),
            )
            for _ in range(2)
        )
        exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x03" + orientation + tags + bytes(4)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("warnings.warn", lambda *_, **__: None)
            name, width, height = inspect(encoded(scene(), "JPEG", exif=exif))
        assert (name, {width, height}) == ("JPEG", {32, 16})
    garbage = encoded(scene(), "JPEG", exif=b"Exif\0\0 this is no TIFF header")
    assert inspect(garbage) == ("JPEG", 32, 16)


def test_cmyk_and_grey_jpegs_become_rgb() -> None:
    cmyk = decode_rgb(encoded(scene().convert("CMYK"), "JPEG", quality=95, subsampling=0))
    assert np.abs(np.asarray(cmyk, int) - np.asarray(scene(), int)).mean() < 12
    grey = decode_rgb(encoded(Image.new("L", (4, 4), 77), "JPEG"))
    assert (grey.mode, grey.getpixel((1, 1))) == ("RGB", (77, 77, 77))


def test_16_bit_grey_keeps_its_shades() -> None:
    values = np.array([[0, 256, 25_700], [32_768, 51_400, 65_535]], np.uint16)
    image = decode_rgb(encoded(Image.fromarray(values)))
    assert np.asarray(image)[..., 0].tolist() == [[0, 1, 100], [128, 200, 255]]
    assert np.ptp(np.asarray(image), axis=2).max() == 0


def test_16_bit_tiff_of_either_byte_order_is_read() -> None:
    values = np.array([[0, 25_700], [51_400, 65_535]], np.uint16)
    for mode in ("I;16", "I;16B"):
        kind = ">u2" if mode.endswith("B") else "<u2"
        picture = Image.frombytes(mode, (2, 2), values.astype(kind).tobytes())
        shades = np.asarray(decode_rgb(encoded(picture, "TIFF")))[..., 0]
        assert shades.tolist() == [[0, 100], [200, 255]]


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_lies_over_white(mode: str) -> None:
    image = Image.new("RGBA", (4, 1), (0, 0, 0, 255))
    image.putpixel((1, 0), (0, 0, 0, 0))
    image.putpixel((2, 0), (0, 0, 0, 128))
    found = decode_rgb(encoded(image.convert(mode)))
    assert [found.getpixel((x, 0))[0] for x in range(4)] == [0, 255, 127, 0]


def test_a_transparent_palette_colour_is_white() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([255, 0, 0, 0, 255, 0])
    image.putpixel((1, 0), 1)
    found = decode_rgb(encoded(image, transparency=1))
    assert [found.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]
    several = decode_rgb(encoded(image, transparency=b"\x00\xff"))
    assert [several.getpixel((x, 0)) for x in (0, 1)] == [WHITE, GREEN]


def test_a_colour_that_a_png_names_transparent_is_white() -> None:
    image = Image.new("RGB", (2, 1), RED)
    image.putpixel((1, 0), GREEN)
    found = decode_rgb(encoded(image, transparency=GREEN))
    assert [found.getpixel((x, 0)) for x in (0, 1)] == [RED, WHITE]


def test_bitmaps_of_one_bit_become_rgb() -> None:
    image = decode_rgb(encoded(Image.new("1", (3, 3), 1)))
    assert image.getpixel((0, 0)) == WHITE


def test_an_animation_shows_its_first_frame() -> None:
    frames = [Image.new("RGB", (6, 4), colour) for colour in (RED, GREEN, BLUE)]
    data = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert inspect(data) == ("GIF", 6, 4)
    assert decode_rgb(data).getpixel((2, 2)) == RED


def test_a_phone_s_jpeg_with_a_second_picture_is_a_jpeg() -> None:
    data = encoded(scene(), "MPO", save_all=True, append_images=[scene()])
    assert data[:2] == b"\xff\xd8"
    assert inspect(data) == ("JPEG", 32, 16)


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM"])
def test_common_formats_are_known(format_name: str) -> None:
    assert inspect(encoded(scene(), format_name)) == (format_name, 32, 16)


def test_truncated_pictures_are_refused() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8))
    for format_name in ("JPEG", "PNG", "WEBP", "BMP"):
        data = encoded(noise, format_name)
        for length in (len(data) // 2, len(data) * 9 // 10):
            for read in (inspect, decode_rgb):
                with pytest.raises(BadImageError, match=r"cannot be decoded|not an image"):
                    read(data[:length])


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "the file is empty"),
        (b"<html>404 Not Found</html>", "not an image of a known format"),
        (b"\xff\xd8\xff\xe0", "not an image of a known format|cannot be decoded"),
        (b"%PDF-1.7\n", "not an image of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not an image of a known format"),
    ],
)
def test_what_is_no_image_is_refused_with_the_reason(data: bytes, reason: str) -> None:
    with pytest.raises(BadImageError, match=reason):
        inspect(data)


def png(width: int, height: int, pixels: bytes = b"") -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(pixels))
    return b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"")


def test_a_decompression_bomb_is_refused_before_it_is_decoded() -> None:
    bomb = png(60_000, 60_000)
    assert len(bomb) < 100
    with pytest.raises(BadImageError, match=r"60000 x 60000 pixels, more than 200,000,000"):
        inspect(bomb)
    with pytest.raises(BadImageError, match="60000 x 60000"):
        decode_rgb(bomb)


def test_our_own_limit_holds_and_not_a_smaller_one_of_the_library(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 100)
    data = encoded(scene())
    assert inspect(data) == ("PNG", 32, 16)
    assert Image.MAX_IMAGE_PIXELS == 100
    assert inspect(data, max_pixels=512) == ("PNG", 32, 16)
    with pytest.raises(BadImageError, match="more than 511"):
        inspect(data, max_pixels=511)
    assert Image.MAX_IMAGE_PIXELS == 100
