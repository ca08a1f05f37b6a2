"""Pictures as they come, and the models of this folder's tests."""

from __future__ import annotations

import io
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from mmi_hpc.data.samples import photo_bytes, photos


@pytest.fixture(scope="session")
def pictures() -> dict[str, bytes]:
    """Encoded images of every kind that a collection holds."""
    if find_spec("skimage") is None or find_spec("sklearn") is None:
        pytest.skip("the sample pictures are not installed: pip install 'mmi_hpc[samples]'")
    found = {photo.id: photo_bytes(photo) for photo in photos()[:6]}
    with Image.open(io.BytesIO(found[min(found)])) as image:
        plain = image.convert("RGB").resize((60, 40))
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned by a quarter
    found["exif"] = _encoded(plain, "JPEG", exif=exif)
    found["cmyk"] = _encoded(plain.convert("CMYK"), "JPEG")
    deep = np.linspace(0, 65535, 40 * 60).reshape(40, 60).astype(np.uint16)
    found["16 bit"] = _encoded(Image.fromarray(deep), "PNG")
    found["palette"] = _encoded(plain.quantize(16), "PNG")
    faded = plain.convert("RGBA")
    faded.putalpha(Image.linear_gradient("L").resize(faded.size))
    found["alpha"] = _encoded(faded, "PNG")
    return found


def _encoded(image: Image.Image, name: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, name, **options)
    return buffer.getvalue()
