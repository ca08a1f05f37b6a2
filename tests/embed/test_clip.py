"""CLIP models: the same vectors as open_clip itself gives, and no weights from a hostile file."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mmi_hpc.data.images import decode_rgb
from mmi_hpc.embed.encoder import load
from mmi_hpc.embed.settings import EncoderSettings
from mmi_hpc.errors import ConfigError

open_clip = pytest.importorskip("open_clip")
torch = pytest.importorskip("torch")
import tiny_clip  # noqa: E402

from mmi_hpc.embed.clip import check_activation  # noqa: E402
from mmi_hpc.stages.embed import EmbedSettings  # noqa: E402

BLOCK = 4
TEXTS = ["a cat", "", "Write a poem about the photo.", "word " * 500, "日本語 🐈", "\x00<b>{{x}}"]


def settings(model: Path | str, **others: Any) -> EncoderSettings:
    return EncoderSettings(kind="open_clip", model=str(model), block=BLOCK, device="cpu", **others)


def bits(vectors: np.ndarray) -> list[bytes]:
    assert vectors.dtype == np.float32
    return [row.tobytes() for row in vectors]


@pytest.fixture
def register(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The tiny architecture under a name, as a user of open_clip would register it."""
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIG_PATHS", [])
    monkeypatch.setattr(open_clip.factory, "_MODEL_CONFIGS", {})
    path = tmp_path / "tiny-for-tests.json"
    path.write_text(json.dumps(tiny_clip.CONFIG))
    open_clip.add_model_config(path)
    return path.stem


@pytest.fixture(scope="module")
def direct(tiny_clip: Path) -> Any:
    """What open_clip gives when it is called by hand: (model, preprocess, tokenizer)."""
    name = f"local-dir:{tiny_clip}"
    model, _, preprocess = open_clip.create_model_and_transforms(name)
    return model.eval(), preprocess, open_clip.get_tokenizer(name)


def images(pictures: dict[str, bytes]) -> list[Any]:
    return [decode_rgb(data) for data in pictures.values()]


def in_blocks(encode: Any, rows: Any, size: int) -> np.ndarray:
    """Call a tower on blocks of one size, the last one filled with its last row."""
    torch.set_num_threads(1)
    parts = []
    with torch.inference_mode():
        for start in range(0, len(rows), size):
            part = rows[start : start + size]
            filled = torch.cat([part, part[-1:].expand(size - len(part), *part.shape[1:])])
            parts.append(encode(filled)[: len(part)].numpy())
    return np.concatenate(parts)


def test_images_get_the_bits_that_open_clip_gives(
    tiny_clip: Path, direct: Any, pictures: dict[str, bytes]
) -> None:
    model, preprocess, _ = direct
    pixels = torch.stack([preprocess(image) for image in images(pictures)])
    expected = in_blocks(model.encode_image, pixels, BLOCK)
    found = load(settings(tiny_clip)).embed_images(images(pictures))
    assert found.shape == (len(pictures), 32)
    assert bits(found) == bits(expected)
    one_by_one = in_blocks(model.encode_image, pixels, 1)
    np.testing.assert_allclose(found, one_by_one, rtol=0, atol=1e-5)
    assert len(set(bits(found))) == len(pictures)  # random weights still tell pictures apart


def test_texts_get_the_bits_that_open_clip_gives(tiny_clip: Path, direct: Any) -> None:
    model, _, tokenizer = direct
    expected = in_blocks(model.encode_text, tokenizer(TEXTS), BLOCK)
    found = load(settings(tiny_clip)).embed_texts(TEXTS)
    assert bits(found) == bits(expected)
    one_by_one = in_blocks(model.encode_text, tokenizer(TEXTS), 1)
    np.testing.assert_allclose(found, one_by_one, rtol=0, atol=1e-5)


def test_bits_of_an_image_depend_on_neither_neighbours_nor_groups(
    tiny_clip: Path, pictures: dict[str, bytes]
) -> None:
    encoder = load(settings(tiny_clip))
    decoded = images(pictures)
    expected = bits(encoder.embed_images(decoded))
    generator = random.Random(3)
    for _ in range(4):
        order = generator.sample(range(len(decoded)), len(decoded))
        cut = generator.randrange(1, len(order))
        for group in (order[:cut], order[cut:]):
            found = bits(encoder.embed_images(decoded[place] for place in group))
            assert found == [expected[place] for place in group]


def test_bits_of_a_text_depend_on_neither_neighbours_nor_groups(tiny_clip: Path) -> None:
    encoder = load(settings(tiny_clip))
    expected = bits(encoder.embed_texts(TEXTS))
    assert bits(encoder.embed_texts(TEXTS[::-1])) == expected[::-1]
    assert [bits(encoder.embed_texts([text]))[0] for text in TEXTS] == expected


def test_nothing_is_embedded_as_no_rows(tiny_clip: Path) -> None:
    encoder = load(settings(tiny_clip))
    assert len(encoder.embed_texts([])) == 0
    assert len(encoder.embed_images([])) == 0


def test_an_encoder_keeps_its_threads_when_another_one_has_set_its_own(
    tiny_clip: Path, pictures: dict[str, bytes]
) -> None:
    encoder = load(settings(tiny_clip, threads=1))
    torch.set_num_threads(2)
    encoder.embed_images(images(pictures)[:1])
    assert torch.get_num_threads() == 1
    assert encoder.environment == {"device": "cpu", "dtype": "fp32", "threads": "1"}


@pytest.mark.parametrize("suffix", ["safetensors", "pt"])
def test_an_architecture_takes_its_weights_from_a_checkpoint_file(
    suffix: str, register: str, tiny_clip: Path, tmp_path: Path, pictures: dict[str, bytes]
) -> None:
    import tiny_clip as builder

    checkpoint = tiny_clip / "open_clip_model.safetensors"
    if suffix == "pt":
        checkpoint = tmp_path / "weights.pt"
        torch.save({"epoch": 1, "state_dict": builder.weights()}, checkpoint)
    encoder = load(settings(register, pretrained=str(checkpoint)))
    in_folder = load(settings(tiny_clip))
    assert bits(encoder.embed_texts(TEXTS)) == bits(in_folder.embed_texts(TEXTS))
    found = encoder.embed_images(images(pictures))
    assert found.shape == (len(pictures), 32)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_short_number_formats_give_nearly_the_same_vectors(
    precision: str, tiny_clip: Path, pictures: dict[str, bytes]
) -> None:
    exact, short = load(settings(tiny_clip)), load(settings(tiny_clip, precision=precision))
    for found, expected in (
        (short.embed_images(images(pictures)), exact.embed_images(images(pictures))),
        (short.embed_texts(TEXTS), exact.embed_texts(TEXTS)),
    ):
        lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
        assert ((found * expected).sum(1) / lengths > 0.99).all()


class Trap:
    """Unpickled carelessly, it creates a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> Any:
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("form", ["zip", "legacy", "pickle"])
def test_a_checkpoint_that_runs_code_is_refused_and_does_not_run(
    form: str, register: str, tmp_path: Path
) -> None:
    sprung, checkpoint = tmp_path / "sprung", tmp_path / "weights.pt"
    trap = {"state_dict": Trap(sprung)}
    if form == "pickle":
        checkpoint.write_bytes(pickle.dumps(trap, protocol=2))
    else:
        torch.save(trap, checkpoint, _use_new_zipfile_serialization=form == "zip")
    with pytest.raises(ConfigError, match=r"weights\.pt"):
        load(settings(register, pretrained=str(checkpoint)))
    assert not sprung.exists()
    pickle.loads(pickle.dumps(trap))  # the trap itself does work
    assert sprung.exists()


def test_a_folder_with_a_trap_for_weights_is_refused(tiny_clip: Path, tmp_path: Path) -> None:
    folder, sprung = tmp_path / "model", tmp_path / "sprung"
    folder.mkdir()
    config = (tiny_clip / "open_clip_config.json").read_bytes()
    (folder / "open_clip_config.json").write_bytes(config)
    torch.save({"state_dict": Trap(sprung)}, folder / "open_clip_pytorch_model.bin")
    with pytest.raises(ConfigError, match="cannot be loaded"):
        load(settings(folder))
    assert not sprung.exists()


def test_a_folder_without_weights_is_refused_instead_of_filled_with_random_ones(
    tiny_clip: Path, tmp_path: Path
) -> None:
    config = (tiny_clip / "open_clip_config.json").read_bytes()
    (tmp_path / "open_clip_config.json").write_bytes(config)
    with pytest.raises(ConfigError, match="weights"):
        load(settings(tmp_path))


def test_an_architecture_without_weights_is_refused(register: str) -> None:
    with pytest.raises(ConfigError, match=r"encoder\.pretrained"):
        load(settings(register))


@pytest.mark.parametrize("damage", ["cut", "noise", "empty"])
def test_a_damaged_checkpoint_is_a_setting_to_correct(
    damage: str, register: str, tiny_clip: Path, tmp_path: Path
) -> None:
    whole = (tiny_clip / "open_clip_model.safetensors").read_bytes()
    content = {"cut": whole[: len(whole) // 2], "noise": b"\xff" * 1000, "empty": b""}[damage]
    for name in ("weights.safetensors", "weights.pt"):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ConfigError, match=name):
            load(settings(register, pretrained=str(tmp_path / name)))


@pytest.mark.parametrize(
    ("model", "pretrained"),
    [("no-such-architecture", ""), ("ViT-B-32", "no-such-tag"), ("hf-hub:nobody/nothing", "")],
)
def test_an_unknown_name_is_an_error_that_says_what_to_set(model: str, pretrained: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(settings(model, pretrained=pretrained))
    message = str(caught.value)
    assert model in message
    assert "Set encoder.model to a folder" in message
    assert "internet" in message
    assert len(message) < 1000


def test_an_architecture_with_another_activation_than_its_weights_is_refused() -> None:
    """open_clip only logs a warning, and its vectors would be wrong."""
    with pytest.raises(ConfigError, match=r"Set encoder\.model=ViT-L-14-336-quickgelu\."):
        load(settings("ViT-L-14-336", pretrained="openai"))


def test_the_default_encoder_has_the_activation_of_its_weights() -> None:
    encoder = EmbedSettings().encoder
    assert open_clip.get_pretrained_cfg(encoder.model, encoder.pretrained)["quick_gelu"]
    assert open_clip.get_model_config(encoder.model)["quick_gelu"]
    check_activation(encoder.model, encoder.pretrained)


def test_every_pair_that_open_clip_knows_is_let_through_or_has_a_twin_that_is() -> None:
    refused = 0
    for model, tag in open_clip.list_pretrained():
        try:
            check_activation(model, tag)
        except ConfigError as error:
            refused += 1
            twin = str(error).rpartition("encoder.model=")[2].rstrip(".")
            assert twin != model
            check_activation(twin, tag)
            assert open_clip.get_pretrained_cfg(twin, tag)
    assert refused > 10


@pytest.mark.parametrize(
    ("model", "tag"),
    [("ViT-L-14-336", ""), ("ViT-L-14", "laion2b_s32b_b82k"), ("no-such", "openai")],
)
def test_what_open_clip_does_not_know_or_knows_to_fit_is_let_through(model: str, tag: str) -> None:
    check_activation(model, tag)
