"""Pixels through ingest, embed and match with a tiny real CLIP, held against open_clip itself."""

from __future__ import annotations

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from mmi_hpc import kernels
from mmi_hpc.data import images, samples
from mmi_hpc.data.vectors import BankFormat, CandidateFormat, VectorFormat
from mmi_hpc.engine.run import find

BLOCK = 8


def odd_images():
    """Encoded images in colour modes that trip up pipelines."""
    photo = Image.open(BytesIO(samples.photo_bytes(samples.photos()[3]))).convert("RGB")
    photo = photo.resize((60, 44))
    grey = np.asarray(photo.convert("L"))
    alpha = photo.convert("RGBA")
    alpha.putalpha(Image.fromarray(grey))
    exif = Image.Exif()
    exif[0x0112] = 6
    palette = photo.quantize(32)
    palette.info["transparency"] = 0

    def encode(image, format_name, **options):
        buffer = BytesIO()
        image.save(buffer, format_name, **options)
        return buffer.getvalue()

    return {
        "rotated.jpg": encode(photo, "JPEG", exif=exif),
        "cmyk.jpg": encode(photo.convert("CMYK"), "JPEG"),
        "sixteen.png": encode(Image.fromarray((grey.astype(np.uint16) << 8) | 77), "PNG"),
        "palette.png": encode(palette, "PNG", transparency=0),
        "alpha.png": encode(alpha, "PNG"),
        "grey-alpha.png": encode(alpha.convert("LA"), "PNG"),
    }


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "photos"
    path.mkdir()
    for photo in samples.photos()[:8]:
        (path / photo.file_name).write_bytes(samples.photo_bytes(photo))
        (path / photo.file_name).with_suffix(".txt").write_text(photo.description)
    for name, data in odd_images().items():
        (path / name).write_bytes(data)
        (path / name).with_suffix(".txt").write_text(f"A cat rests on a brown sofa, {name}.")
    return path


def direct(tiny_clip, paths):
    """Embeddings by open_clip alone: same preprocessing, blocks of the same size, one thread."""
    import open_clip
    import torch

    torch.set_num_threads(1)
    name = f"local-dir:{tiny_clip}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    model.eval()
    pixels = torch.stack([preprocess(images.decode_rgb(path.read_bytes())) for path in paths])
    missing = -len(pixels) % BLOCK
    padded = torch.cat([pixels, pixels[-1:].expand(missing, *pixels.shape[1:])])
    with torch.inference_mode():
        parts = [model.encode_image(part) for part in padded.split(BLOCK)]
    return torch.cat(parts)[: len(pixels)].numpy()


@pytest.mark.parametrize("shard_rows", [5, 500])
def test_embeddings_equal_open_clip_bit_for_bit(chain, tiny_clip, folder, shard_rows):
    chain.done(
        "name=pixels",
        "ingest.source={kind: folder, path: '" + str(folder) + "'}",
        "embed.input=image",
        f"embed.encoder={{kind: open_clip, model: '{tiny_clip}', block: {BLOCK}}}",
        "cluster.k=8",
        f"shard_rows={shard_rows}",
    )
    run = find(chain.root / "pixels")
    stage = run.opened("embed")
    found = [VectorFormat().matrix(stage.output_path(s)) for s in range(len(stage.shards))]
    ids = [name for part, _ in found for name in part]
    vectors = np.concatenate([part for _, part in found])
    paths = [folder / name for name in ids]
    assert sorted(ids) == ids
    assert len(ids) == 14
    expected = direct(tiny_clip, paths)
    assert (vectors.view(np.uint32) == expected.view(np.uint32)).all()

    stage = run.opened("candidates")
    bank = np.stack([e.values for e in BankFormat().read(run.opened("bank").output_path(0))])
    parts = [CandidateFormat().matrices(stage.output_path(s)) for s in range(len(stage.shards))]
    scores = np.concatenate([part[1] for part in parts])
    indices = np.concatenate([part[2] for part in parts])
    exact = kernels.cosine_topk(expected, bank, scores.shape[1])
    assert (indices == exact.indices).all()
    assert (scores == exact.scores).all()
    assert len(chain.export("pixels")) > 10


def test_images_are_seen_upright_and_in_their_colours():
    decoded = {name: images.decode_rgb(data) for name, data in odd_images().items()}
    assert {image.mode for image in decoded.values()} == {"RGB"}
    assert decoded["rotated.jpg"].size == (44, 60)
    sixteen = np.asarray(decoded["sixteen.png"])
    assert 20 < sixteen.mean() < 235
