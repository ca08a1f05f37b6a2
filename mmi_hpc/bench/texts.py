"""Embeddings of real text: sentences from files that the caller has, through a small encoder."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmi_hpc.bench.data import Rows, with_task
from mmi_hpc.bench.shapes import Shape
from mmi_hpc.errors import ConfigError

VARIABLE = "MMI_BENCH_TEXTS"
_SUFFIXES = (".json", ".jsonl", ".txt")
_SHORTEST, _LONGEST = 20, 400


class Texts:
    """Sentences and their vectors, embedded once and only as many as asked for."""

    def __init__(self, files: Sequence[Path]) -> None:
        self._sentences = sentences(files)
        self._vectors = np.zeros((0, 0), np.float32)

    def problem(self, shape: Shape, seed: int = 0) -> tuple[Shape, dict[str, Rows]]:
        """The problem with as many rows as there are sentences, and its arrays.

        The sides of topk share no sentence, and the bank takes at most half of them.

        Raises:
            ConfigError: There are too few sentences.
        """
        found = len(self._sentences)
        m = min(shape.m, found // 2)
        n = min(shape.n, found - m)
        if min(n, m or n) < max(shape.k, 2):
            raise ConfigError(f"{found} sentences are too few for {shape.name}. Name more files.")
        x = self._embed(n + m)
        shape = shape.but(n=n, m=m, d=x.shape[1])
        random = np.random.default_rng(seed)
        order = random.permutation(n + m)
        if shape.task == "topk":
            return shape, {"queries": x[order[:n]], "bank": x[order[n:]]}
        return shape, with_task(shape, x[order], random)

    def _embed(self, count: int) -> Rows:
        if len(self._vectors) < count:
            self._vectors = _encoder().embed_texts(self._sentences[:count])
        return self._vectors[:count]


def sentences(files: Iterable[Path]) -> list[str]:
    """The different sentences of 20 to 400 characters in the strings of the files, in order."""
    found: dict[str, None] = {}
    for path in files:
        for text in _strings(path):
            for sentence in re.split(r"(?<=[.!?])\s+|\n+", text):
                if _SHORTEST <= len(sentence.strip()) <= _LONGEST:
                    found.setdefault(sentence.strip())
    return list(found)


def named_files(paths: Sequence[Path]) -> list[Path]:
    """The text files that were named, in folders too, or else those named by MMI_BENCH_TEXTS.

    Raises:
        ConfigError: A path does not exist.
    """
    named = list(paths) or [Path(p) for p in os.environ.get(VARIABLE, "").split(os.pathsep) if p]
    files = []
    for path in named:
        if not path.exists():
            raise ConfigError(f"{path} does not exist. --texts takes .json, .jsonl and .txt files.")
        inside = sorted(path.rglob("*")) if path.is_dir() else [path]
        files += [file for file in inside if file.suffix in _SUFFIXES]
    return files


def _strings(path: Path) -> Iterator[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    if path.suffix == ".txt":
        yield text
        return
    documents = text.splitlines() if path.suffix == ".jsonl" else [text]
    for document in documents:
        try:
            yield from _strings_in(json.loads(document))
        except json.JSONDecodeError:
            continue  # a torn line; the sentences only have to be real


def _strings_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from _strings_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _strings_in(inner)


def _encoder() -> Any:
    from mmi_hpc.embed.settings import EncoderSettings

    settings = EncoderSettings(threads=len(os.sched_getaffinity(0)), block=32)
    settings.check("--data text: encoder")
    from mmi_hpc.embed.sentence import SentenceEncoder

    return SentenceEncoder(settings)
