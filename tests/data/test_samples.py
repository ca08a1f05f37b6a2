from __future__ import annotations

import importlib.util
import io
import re
import subprocess
import sys
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest
from PIL import Image

from mmi_hpc.data import samples
from mmi_hpc.data.records import Box
from mmi_hpc.data.samples import SamplePhoto, photo_bytes, photos, seed_instructions
from mmi_hpc.errors import SiteError

PHOTOS = photos()
SEEDS = seed_instructions()
SAFE_ID = re.compile(r"[a-z0-9-]+")

needs_pictures = pytest.mark.skipif(
    importlib.util.find_spec("skimage") is None or importlib.util.find_spec("sklearn") is None,
    reason="the sample pictures are not installed: pip install 'mmi_hpc[samples]'",
)
each_photo = pytest.mark.parametrize("photo", PHOTOS, ids=lambda photo: photo.id)
each_seed = pytest.mark.parametrize("seed", SEEDS, ids=lambda seed: seed.id)


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.!?])\s+(?=[A-Z])", text)


def size(photo: SamplePhoto) -> tuple[int, int]:
    with Image.open(io.BytesIO(photo_bytes(photo))) as image:
        image.load()
        return image.size


def test_there_are_about_twenty_photos_in_the_order_of_their_ids() -> None:
    ids = [photo.id for photo in PHOTOS]
    assert 18 <= len(ids) <= 22
    assert ids == sorted(set(ids))


@needs_pictures
@each_photo
def test_a_photo_opens_and_is_large_enough_to_describe(photo: SamplePhoto) -> None:
    assert min(size(photo)) >= 150


@needs_pictures
@each_photo
def test_a_file_name_fits_the_encoded_bytes(photo: SamplePhoto) -> None:
    with Image.open(io.BytesIO(photo_bytes(photo))) as image:
        assert Image.registered_extensions()[Path(photo.file_name).suffix] == image.format


@needs_pictures
def test_a_whole_photo_is_the_package_file_untouched() -> None:
    cat = next(photo for photo in PHOTOS if photo.id == "cat")
    spec = importlib.util.find_spec("skimage")
    assert spec is not None
    assert spec.origin is not None
    assert photo_bytes(cat) == (Path(spec.origin).parent / "data" / "chelsea.png").read_bytes()


@needs_pictures
@pytest.mark.parametrize("photo", [p for p in PHOTOS if p.crop], ids=lambda photo: photo.id)
def test_a_crop_holds_exactly_the_pixels_of_its_region(photo: SamplePhoto) -> None:
    whole = next(p for p in PHOTOS if p.file == photo.file and p.crop is None)
    with (
        Image.open(io.BytesIO(photo_bytes(whole))) as picture,
        Image.open(io.BytesIO(photo_bytes(photo))) as part,
    ):
        assert part.format == "PNG"
        assert part.tobytes() == picture.crop(photo.crop).tobytes()
        assert photo_bytes(photo) == photo_bytes(photo)


@each_photo
def test_texts_are_complete(photo: SamplePhoto) -> None:
    assert SAFE_ID.fullmatch(photo.id)
    assert 2 <= len(sentences(photo.description)) <= 4
    assert 25 <= len(photo.description.split()) <= 90
    assert photo.description.endswith(".")
    assert not re.match(r"(the|this) (image|photo|picture)\b", photo.description, re.IGNORECASE)
    assert 3 <= len(photo.alt_text.split()) <= 8
    assert photo.origin
    assert photo.licence


@each_photo
def test_boxes_lie_inside_the_photo(photo: SamplePhoto) -> None:
    assert 1 <= len(photo.boxes) <= 5
    for box in photo.boxes:
        assert isinstance(box, Box)
        assert box.label
        assert 0 <= box.x1 < box.x2 <= 1
        assert 0 <= box.y1 < box.y2 <= 1
        corners = (box.x1, box.y1, box.x2, box.y2)
        assert corners == tuple(round(value, 3) for value in corners)


def test_a_crop_says_in_its_origin_that_it_is_ours() -> None:
    crops = {photo.id for photo in PHOTOS if photo.crop}
    assert crops == {photo.id for photo in PHOTOS if photo.origin.startswith("our crop")}


def test_there_are_forty_seeds_for_forty_different_tasks() -> None:
    assert len(SEEDS) == 40
    for values in ({s.id for s in SEEDS}, {s.task for s in SEEDS}, {s.text for s in SEEDS}):
        assert len(values) == 40


def test_every_seed_opens_with_another_verb() -> None:
    assert len({seed.text.split()[0] for seed in SEEDS}) == 40


@each_seed
def test_a_seed_is_one_short_instruction_about_any_image(
    seed: samples.SeedInstruction,
) -> None:
    assert SAFE_ID.fullmatch(seed.id)
    assert 8 <= len(seed.text.split()) <= 20
    assert seed.text.endswith(".")
    assert len(sentences(seed.text)) == 1
    assert re.search(r"\bthe (image|photo)\b", seed.text)


@needs_pictures
def test_reading_all_samples_imports_neither_package() -> None:
    script = (
        "import sys\n"
        "from mmi_hpc.data.samples import photo_bytes, photos, seed_instructions\n"
        "assert sum(len(photo_bytes(photo)) for photo in photos()) > 0 and seed_instructions()\n"
        "print(sorted({'skimage', 'sklearn'} & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    assert done.stdout.strip() == "[]"


@each_photo
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    photo: SamplePhoto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(samples, "find_spec", lambda name: None)
    with pytest.raises(SiteError) as error:
        photo_bytes(photo)
    assert photo.package in str(error.value)
    assert "pip install 'mmi_hpc[samples]'" in str(error.value)


def test_a_package_without_the_picture_is_an_error_that_names_the_path(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    spec = ModuleSpec("skimage", None, origin=str(tmp_path / "skimage" / "__init__.py"))
    monkeypatch.setattr(samples, "find_spec", lambda name: spec)
    with pytest.raises(SiteError, match=re.escape(str(tmp_path / "skimage" / "data"))):
        photo_bytes(PHOTOS[0])
