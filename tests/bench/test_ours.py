"""Our rows use the packed bank and report what the kernels say about themselves."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from mmi_hpc.bench import ours
from mmi_hpc.bench.data import make
from mmi_hpc.bench.problem import Problem
from mmi_hpc.bench.shapes import Shape


@pytest.fixture
def problem():
    shape = Shape("topk", 12, 9, 8, 3)
    return Problem(shape, make("isotropic", shape), threads=2)


def test_a_bank_is_packed_once_and_handed_to_the_search(problem, monkeypatch):
    calls = []

    def search(queries, bank, k, **options):
        calls.append((bank, k, options))
        stats = SimpleNamespace(isa="amx", survivors=40, seconds={"scan": 0.25, "rescore": 0.5})
        return SimpleNamespace(indices=np.zeros((12, 3)), scores=np.zeros((12, 3)), stats=stats)

    def pack(array, threads):
        assert array is problem["bank"]
        return ("packed", threads)

    monkeypatch.setattr(ours, "kernels", SimpleNamespace(Bank=pack, cosine_topk=search))
    bank = ours.pack(problem)
    answer = ours.scan(problem, bank)
    assert calls == [(("packed", 2), 3, {"precision": "scan", "threads": 2})]
    assert answer.phases == {"scan": 0.25, "rescore": 0.5}
    assert answer.stats == {"isa": "amx", "survivors": 40}


def test_the_loaded_kernels_solve_the_problem(problem):
    answer = ours.topk(problem, ours.pack(problem))
    assert answer.arrays["indices"].shape == (12, 3)
    assert answer.bytes == 12 * 3 * (8 + 4)
