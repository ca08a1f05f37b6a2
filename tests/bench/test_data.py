"""The data of the benchmarks have the properties that they are named after."""

from __future__ import annotations

import numpy as np
import pytest

from mmi_hpc.bench.data import KINDS, make, unit
from mmi_hpc.bench.shapes import Shape

TOPK = Shape("topk", 600, 400, 96, 5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_seed_gives_the_same_rows(kind):
    first, again, other = (make(kind, TOPK, seed) for seed in (1, 1, 2))
    assert first["queries"].shape == (600, 96)
    assert first["bank"].shape == (400, 96)
    assert all(rows.dtype == np.float32 and rows.flags.c_contiguous for rows in first.values())
    np.testing.assert_array_equal(first["bank"], again["bank"])
    assert (first["queries"] != other["queries"]).any()


def test_embeddings_have_a_common_mean_and_a_falling_spectrum():
    arrays = make("embedding", Shape("topk", 2000, 2000, 256, 5))
    queries, bank = unit(arrays["queries"]), unit(arrays["bank"])
    assert 0.2 < (queries @ bank.T).mean() < 0.3
    spectrum = np.linalg.svd(arrays["bank"] - arrays["bank"].mean(0), compute_uv=False)
    assert spectrum[0] / spectrum[63] == pytest.approx(8, rel=0.3)


def test_clusters_hold_rows_that_differ_by_next_to_nothing():
    x = unit(make("clustered", TOPK)["bank"])
    nearest = np.sort(x @ x.T, axis=1)[:, -2]
    assert np.median(nearest) > 0.95


def test_the_adversarial_bank_rises_in_steps_of_four_equal_rows():
    arrays = make("adversarial", TOPK)
    bank = arrays["bank"].reshape(100, 4, 96)
    assert (bank == bank[:, :1]).all()
    scores = unit(arrays["queries"]).mean(0) @ unit(arrays["bank"]).T
    steps = scores[::4]
    assert (np.diff(steps) > 0).mean() > 0.8
    assert scores.argmax() >= 380


def test_kmeans_starts_at_unit_rows_of_its_own_data():
    arrays = make("isotropic", Shape("kmeans", 300, 0, 16, 9, 3))
    np.testing.assert_allclose(np.linalg.norm(arrays["init"], axis=1), 1, rtol=1e-6)
    assert (unit(arrays["x"]) @ arrays["init"].T > 0.99999).any(axis=0).all()


def test_every_sixteenth_row_to_pair_is_close_to_another_one():
    x = unit(make("isotropic", Shape("near_duplicates", 320, 0, 64, 0))["x"])
    i, j = np.nonzero(np.triu(x @ x.T >= 0.95, 1))
    assert list(zip(i, j, strict=True)) == [(at - 7, at) for at in range(7, 320, 16)]
