"""Which members of a cluster are kept, and which is its medoid."""

from __future__ import annotations

import numpy as np
import pytest

from mmi_hpc.stages.cluster import _nearest_first, _sample


def test_the_nearest_half_is_kept_and_the_rest_is_drawn() -> None:
    order = list(range(100, 0, -1))
    kept = _sample(order, 10, seed=1)
    assert len(kept) == len(set(kept)) == 10
    assert kept[0] == 100
    assert set(kept) <= set(order)
    near = [row for row, expected in zip(kept, order, strict=False) if row == expected]
    assert 5 <= len(near) < 10
    assert kept == _sample(order, 10, seed=1)
    assert kept != _sample(order, 10, seed=2)


@pytest.mark.parametrize("size", [1, 2, 3, 5, 9, 10])
def test_a_small_cluster_is_kept_whole(size: int) -> None:
    order = list(range(size))
    kept = _sample(order, 10, seed=3)
    assert kept[0] == 0
    assert sorted(kept) == order


@pytest.mark.parametrize("count", range(1, 12))
def test_never_more_than_the_set_number_and_the_medoid_always(count: int) -> None:
    kept = _sample(list(range(50)), count, seed=4)
    assert len(kept) == len(set(kept)) == count
    assert kept[0] == 0


def test_every_member_beyond_the_nearest_half_has_its_chance() -> None:
    drawn = {row for seed in range(300) for row in _sample(list(range(20)), 6, seed)}
    assert drawn == set(range(20))


def test_rows_come_by_cosine_to_the_centroid_and_ties_by_number() -> None:
    angles = np.array([0.5, 0.1, 0.9, 0.1, 2.0], np.float32)
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1) * np.float32(3)
    vectors[3] = vectors[1]
    centroid = np.array([1, 0], np.float32)
    rows = np.array([0, 1, 3, 4])
    assert _nearest_first(vectors, rows, centroid) == [1, 3, 0, 4]
    assert _nearest_first(vectors, np.array([4]), centroid) == [4]
