"""Which images count as copies of which, whatever shards they lie in."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from mmi_hpc import kernels
from mmi_hpc.data.records import Duplicate
from mmi_hpc.data.vectors import Vector
from mmi_hpc.stages import duplicates
from mmi_hpc.stages.duplicates import Duplicates, DuplicatesSettings
from mmi_hpc.stages.embed import Embed

Images = list[tuple[str, Any]]


def at(degrees: float, length: float = 1.0) -> Any:
    """A vector in the plane; cosines of such vectors are those of the angles between them."""
    angle = np.radians(degrees)
    return (length * np.array([np.cos(angle), np.sin(angle)])).astype(np.float32)


@pytest.fixture
def found(tmp_path: Path) -> Any:
    """Runs the stage over images in shards of some size."""

    def run(
        images: Images, *, shard_rows: int = 2, empty: tuple[int, ...] = (), **settings: Any
    ) -> list[Any]:
        cut = [images[start : start + shard_rows] for start in range(0, len(images), shard_rows)]
        for place in empty:
            cut.insert(place, [])
        paths = [tmp_path / f"{shard_rows}-{number}.h5" for number in range(len(cut))]
        for path, part in zip(paths, cut, strict=True):
            Embed.output.save(path, [Vector(name, values) for name, values in part])
        context: Any = SimpleNamespace(
            settings=lambda section: section(**settings),
            path=lambda stage, shard: {Embed: paths}[stage][shard],
            count=lambda stage: {"embed": len(images)}[stage],
            check_stop=lambda: None,
        )
        return list(Duplicates().reduce(range(len(cut)), context))

    return run


def test_exact_and_near_copies_are_found_across_shards(found: Any) -> None:
    images = [("a", at(0)), ("b", at(90)), ("c", at(200)), ("a2", at(0)), ("b2", at(92, 3.0))]
    exact, near = found(images)
    assert exact == Duplicate("a2", "a", 1.0)
    assert (near.id, near.original) == ("b2", "b")
    assert near.cosine == pytest.approx(np.cos(np.radians(2)), abs=1e-6)


def test_the_cosine_is_the_one_that_matching_sees(found: Any) -> None:
    x, y = at(10, 0.3), at(17, 5.0)
    (row,) = found([("x", x), ("y", y)])
    assert row.cosine == float(kernels.cosine_topk(y[None], x[None], 1).scores[0, 0])


def test_rows_come_in_the_order_of_the_source(found: Any) -> None:
    # By (original, copy) "y2" would come before "x2".
    images = [("y", at(0)), ("x", at(90)), ("x2", at(90)), ("y2", at(0)), ("x3", at(90))]
    assert [(row.id, row.original) for row in found(images)] == [
        ("x2", "x"),
        ("y2", "y"),
        ("x3", "x"),
    ]


def test_the_original_is_the_earliest_near_image_even_if_a_later_one_is_nearer(found: Any) -> None:
    images = [("early", at(0)), ("late", at(12)), ("copy", at(12))]
    rows = found(images, threshold=0.97)
    assert [(row.id, row.original) for row in rows] == [("late", "early"), ("copy", "early")]
    assert rows[0].cosine == rows[1].cosine


def test_in_a_chain_every_image_but_the_first_is_a_duplicate(found: Any) -> None:
    rows = found([(name, at(10 * place)) for place, name in enumerate("abcd")], threshold=0.98)
    assert [(row.id, row.original) for row in rows] == [("b", "a"), ("c", "b"), ("d", "c")]


def test_the_threshold_is_reached_by_equality_and_decides(found: Any) -> None:
    pair = [("x", at(0)), ("y", at(25))]
    assert found(pair) == []
    (row,) = found(pair, threshold=0.9)
    assert found(pair, threshold=row.cosine) == [row]
    assert found(pair, threshold=float(np.nextafter(np.float32(row.cosine), np.float32(1)))) == []


def test_at_threshold_one_exact_copies_are_found(found: Any) -> None:
    values = np.random.default_rng(0).standard_normal(384).astype(np.float32)
    (row,) = found([("x", values), ("other", -values), ("y", values)], threshold=1.0)
    assert row == Duplicate("y", "x", 1.0)


@pytest.mark.parametrize("threshold", [0, -0.5, 1.01, float("nan"), "high"])
def test_a_threshold_that_is_no_cosine_of_near_images_is_refused(threshold: Any) -> None:
    with pytest.raises(ValidationError, match="threshold"):
        DuplicatesSettings(threshold=threshold)


def test_without_vectors_or_copies_there_are_no_rows(found: Any) -> None:
    assert found([], empty=(0, 0)) == []
    assert found([("only", at(0))]) == []
    assert found([("x", at(0)), ("y", at(90))]) == []


def test_vectors_of_zeros_are_no_copies_of_each_other(found: Any) -> None:
    assert found([("x", np.zeros(2, np.float32)), ("y", np.zeros(2, np.float32))]) == []


def random_images() -> Images:
    """A hundred images around a dozen places, so that most have several near ones."""
    draw = np.random.default_rng(7)
    places = draw.standard_normal((12, 16))
    values = places[draw.integers(0, 12, 100)] + 0.15 * draw.standard_normal((100, 16))
    return [(f"image-{n}", row) for n, row in enumerate(values.astype(np.float32))]


def plainly(images: Images, threshold: float) -> list[tuple[str, str]]:
    """Every image with the first earlier one that is near, by a loop over all."""
    pairs = []
    for later, (name, values) in enumerate(images):
        earlier = np.stack([row for _, row in images[: later + 1]])
        scores = kernels.cosine_topk(values[None], earlier, later + 1)
        near = scores.indices[0][scores.scores[0] >= np.float32(threshold)]
        first = min(int(place) for place in near)
        if first < later:
            pairs.append((name, images[first][0]))
    return pairs


@pytest.mark.parametrize("shard_rows", [1, 7, 100])
def test_any_cut_gives_what_a_plain_loop_over_all_images_gives(found: Any, shard_rows: int) -> None:
    images = random_images()
    rows = found(images, shard_rows=shard_rows, empty=(0, 1), threshold=0.93)
    assert rows == found(images, shard_rows=33, threshold=0.93)
    expected = plainly(images, 0.93)
    assert [(row.id, row.original) for row in rows] == expected
    assert 20 < len(expected) < 99


@pytest.mark.parametrize("block_rows", [1, 3, 50])
def test_blocks_of_pairs_of_any_size_give_the_same(
    found: Any, monkeypatch: pytest.MonkeyPatch, block_rows: int
) -> None:
    images = random_images()
    expected = found(images, threshold=0.93)

    def in_blocks(x: Any, threshold: float) -> Any:
        return kernels.duplicates.near_duplicates(x, threshold, block_rows=block_rows)

    monkeypatch.setattr(duplicates.kernels, "near_duplicates", in_blocks)
    assert found(images, threshold=0.93) == expected
