"""The reference tells right answers from wrong ones."""

from __future__ import annotations

import numpy as np
import pytest

from mmi_hpc.bench.data import make
from mmi_hpc.bench.problem import Problem
from mmi_hpc.bench.reference import Reference
from mmi_hpc.bench.shapes import THRESHOLD, Shape
from mmi_hpc.kernels import cosine_topk, kmeans, near_duplicates


def problem(shape, kind="clustered"):
    return Problem(shape, make(kind, shape), 1)


def test_lists_count_as_exact_only_in_order():
    case = problem(Shape("topk", 120, 80, 24, 4))
    indices = cosine_topk(case["queries"], case["bank"], 4, threads=1).indices
    reference = Reference(case)
    assert reference.compare({"indices": indices}, "cosine", 120).exact == 1
    swapped = indices.copy()
    swapped[:30, [0, 1]] = swapped[:30, [1, 0]]
    found = reference.compare({"indices": swapped}, "cosine", 120)
    assert found.exact == 0.75
    assert found.recall == 1


def test_competitors_that_did_a_part_are_compared_on_that_part():
    case = problem(Shape("topk", 120, 80, 24, 4))
    part = case.part(8)
    indices = cosine_topk(part["queries"], part["bank"], 4, threads=1).indices
    found = Reference(case).compare({"indices": indices}, "cosine", len(indices))
    assert found.exact == 1
    assert found.rows == 15


@pytest.mark.parametrize("metric", ["cosine", "euclidean"])
def test_labels_are_held_against_the_centroids_that_came_with_them(metric):
    case = problem(Shape("kmeans", 400, 0, 12, 6, 3), "embedding")
    fit = kmeans(case["x"], 6, metric=metric, init=case["init"], max_iter=3, threads=1)
    answer = {"labels": fit.labels, "centroids": fit.centroids}
    found = Reference(case).compare(answer, metric, 400)
    assert found.exact == 1
    own = fit.inertia / 400
    assert found.objective == pytest.approx(1 - own if metric == "cosine" else own, rel=1e-4)
    labels = fit.labels.copy()
    labels[::4] = (labels[::4] + 1) % 6
    assert Reference(case).compare(answer | {"labels": labels}, metric, 400).exact == 0.75


def test_a_missing_and_a_surplus_pair_are_found():
    case = problem(Shape("near_duplicates", 200, 0, 16, 0))
    pairs = list(near_duplicates(case["x"], THRESHOLD, threads=1))
    i, j = (np.concatenate([getattr(part, name) for part in pairs]) for name in "ij")
    reference = Reference(case)
    whole = reference.compare({"i": i, "j": j}, "cosine", 200)
    assert whole.exact == whole.recall == 1
    fewer = reference.compare({"i": i[1:], "j": j[1:]}, "cosine", 200)
    assert fewer.exact == 199 / 200
    assert fewer.recall == (len(i) - 1) / len(i)
    more = reference.compare({"i": np.append(i, 198), "j": np.append(j, 199)}, "cosine", 200)
    assert more.exact == 199 / 200
