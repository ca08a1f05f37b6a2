"""Balancing against dense references, and sampling against its own probabilities."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmi_hpc.matching import _rounded, balanced_weights, best, choose, potentials

TEMPERATURE = 0.1
# Draws of six ids over four equal candidates with seed 42.
GOLDEN = [[2, 3, 1, 0], [1, 2, 3, 0], [0, 3, 2, 1], [1, 3, 0, 2], [2, 0, 1, 3], [0, 1, 2, 3]]


def dense(rows: int, bank: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Every instruction is a candidate of every image, best first."""
    scores = np.random.default_rng(seed).uniform(0, 0.5, (rows, bank)).astype(np.float32)
    indices = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(scores, indices, axis=1), indices.astype(np.int64)


def sparse(rows: int, bank: int, k: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    scores, indices = dense(rows, bank, seed)
    return scores[:, :k].copy(), indices[:, :k].copy()


def columns(scores: np.ndarray, indices: np.ndarray, found: np.ndarray) -> np.ndarray:
    """Mass of every instruction."""
    weights = balanced_weights(scores, indices, found, temperature=TEMPERATURE)
    mass = np.zeros(len(found))
    np.add.at(mass, indices.ravel(), weights.ravel())
    return mass


def reference_plan(
    scores: np.ndarray, indices: np.ndarray, target: np.ndarray, strength: float
) -> np.ndarray:
    """Scaling iterations of unbalanced transport over the dense kernel matrix.

    Rows are held to mass 1; columns are drawn to `target` with the exponent `strength`, which
    makes plain Sinkhorn of 1.
    """
    kernel = np.zeros((len(scores), len(target)))
    np.put_along_axis(kernel, indices, np.exp(scores.astype(np.float64) / TEMPERATURE), axis=1)
    column = np.ones(len(target))
    for _ in range(20_000):
        row = 1 / (kernel @ column)
        update = (target / (kernel.T @ row)) ** strength
        done = np.allclose(update, column, rtol=1e-13, atol=0)
        column = update
        if done:
            break
    return kernel * column / (kernel @ column)[:, None]


def test_without_strength_there_are_no_potentials() -> None:
    scores, indices = dense(20, 6)
    found = potentials([(scores, indices)], 6, temperature=TEMPERATURE, strength=0)
    assert found.tolist() == [0.0] * 6


def test_full_strength_uses_every_instruction_equally() -> None:
    scores, indices = dense(200, 12)
    found = potentials([(scores, indices)], 12, temperature=TEMPERATURE, strength=1)
    assert np.ptp(columns(scores, indices, np.zeros(12))) > 1
    np.testing.assert_allclose(columns(scores, indices, found), 200 / 12, rtol=1e-5)


@pytest.mark.parametrize("strength", [0.2, 0.5, 0.9, 1.0])
@pytest.mark.parametrize("uneven", [False, True])
def test_the_plan_is_that_of_a_dense_reference(strength: float, uneven: bool) -> None:
    scores, indices = dense(60, 8, seed=3)
    share = np.arange(1.0, 9.0) if uneven else np.ones(8)
    found = potentials(
        [(scores, indices)],
        8,
        temperature=TEMPERATURE,
        strength=strength,
        capacity=share if uneven else None,
    )
    plan = np.zeros((60, 8))
    weights = balanced_weights(scores, indices, found, temperature=TEMPERATURE)
    np.put_along_axis(plan, indices, weights, axis=1)
    expected = reference_plan(scores, indices, share / share.sum() * 60, strength)
    np.testing.assert_allclose(plan, expected, atol=1e-5)


def test_more_strength_spreads_the_use_more() -> None:
    scores, indices = sparse(300, 20, 5, seed=1)
    spread = [
        np.std(
            columns(
                scores,
                indices,
                potentials([(scores, indices)], 20, temperature=TEMPERATURE, strength=strength),
            )
        )
        for strength in (0, 0.25, 0.5, 0.75, 1)
    ]
    assert spread == sorted(spread, reverse=True)
    assert spread[-1] < spread[0] / 10


@given(
    st.integers(1, 40),
    st.integers(1, 12),
    st.integers(0, 2**16),
    st.sampled_from([0.3, 1.0]),
    st.data(),
)
@settings(max_examples=40, deadline=None)
def test_any_cut_any_order_and_any_memory_layout_give_equal_bits(
    rows: int, k: int, seed: int, strength: float, data: st.DataObject
) -> None:
    scores, indices = sparse(rows, 12, k, seed)

    def bits(chunks: list[tuple[np.ndarray, np.ndarray]]) -> bytes:
        return potentials(chunks, 12, temperature=TEMPERATURE, strength=strength).tobytes()

    order = data.draw(st.permutations(range(rows)))
    cuts = sorted(data.draw(st.sets(st.integers(1, rows), max_size=5)) | {rows})
    parts = [order[a:b] for a, b in zip([0, *cuts], cuts, strict=False)]
    chunks = [(scores[part], indices[part]) for part in parts]
    whole = bits([(scores, indices)])
    assert bits(chunks) == whole
    assert bits([(np.asfortranarray(s), np.asfortranarray(i)) for s, i in chunks]) == whole


def test_an_instruction_that_is_nobodys_candidate_has_no_potential_and_no_share() -> None:
    scores, indices = dense(30, 4)
    found = potentials([(scores, indices + 2)], 7, temperature=TEMPERATURE, strength=1)
    assert found[[0, 1, 6]].tolist() == [0, 0, 0]
    np.testing.assert_allclose(columns(scores, indices + 2, found)[2:6], 30 / 4, rtol=1e-5)


def test_capacity_is_a_relative_share_and_0_closes_an_instruction() -> None:
    scores, indices = dense(100, 3)

    def mass(capacity: list[float]) -> np.ndarray:
        found = potentials(
            [(scores, indices)],
            3,
            temperature=TEMPERATURE,
            strength=1,
            capacity=np.array(capacity),
        )
        return columns(scores, indices, found)

    np.testing.assert_allclose(mass([1, 1, 2]), [25, 25, 50], rtol=1e-5)
    np.testing.assert_allclose(mass([2, 2, 4]), [25, 25, 50], rtol=1e-5)
    np.testing.assert_allclose(mass([0, 1, 1]), [0, 50, 50], rtol=1e-5, atol=0)


def test_what_cannot_be_balanced_still_ends_with_finite_numbers() -> None:
    scores = np.full((9, 2), 0.3, np.float32)
    indices = np.tile(np.array([0, 1], np.int64), (9, 1))
    lonely = (np.full((1, 2), 0.3, np.float32), np.array([[2, 3]], np.int64))
    found = potentials([(scores, indices), lonely], 4, temperature=TEMPERATURE, strength=1)
    assert np.isfinite(found).all()


def test_no_images_need_no_potentials() -> None:
    assert potentials([], 3, temperature=1, strength=1).tolist() == [0, 0, 0]
    empty = (np.zeros((0, 0), np.float32), np.zeros((0, 0), np.int64))
    assert potentials([empty], 3, temperature=1, strength=1).tolist() == [0, 0, 0]
    assert balanced_weights(*empty, np.zeros(3), temperature=1).shape == (0, 0)


def test_chunks_that_can_be_read_once_only_are_refused() -> None:
    def once() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        yield dense(3, 3)

    for chunks in (once(), iter([dense(3, 3)]), map(tuple, [dense(3, 3)])):
        with pytest.raises(ValueError, match="more than once"):
            potentials(chunks, 3, temperature=1, strength=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"temperature": 0}, "temperature must be greater than 0"),
        ({"temperature": float("nan")}, "temperature must be greater than 0"),
        ({"strength": -0.1}, "strength must lie between 0 and 1"),
        ({"strength": 1.1}, "strength must lie between 0 and 1"),
        ({"strength": float("nan")}, "strength must lie between 0 and 1"),
        ({"capacity": np.ones(2)}, "capacity must hold 3"),
        ({"capacity": np.array([1, -1, 1.0])}, "capacity must hold 3"),
        ({"capacity": np.array([1, np.nan, 1])}, "capacity must hold 3"),
        ({"capacity": np.zeros(3)}, "capacity is 0 for every instruction"),
        ({"bank_size": 2, "capacity": None}, "indices must lie between 0 and 1"),
    ],
)
def test_wrong_arguments_are_refused(change: dict[str, object], message: str) -> None:
    arguments = {"bank_size": 3, "temperature": 1.0, "strength": 0.5, **change}
    with pytest.raises(ValueError, match=message):
        potentials([dense(4, 3)], **arguments)


def test_damaged_candidates_are_refused() -> None:
    scores, indices = dense(4, 3)
    broken = scores.copy()
    broken[1, 1] = np.nan
    for chunk in ((broken, indices), (scores[:2], indices), (scores, indices - 1)):
        with pytest.raises(ValueError, match=r"must be finite|must lie"):
            potentials([chunk], 3, temperature=1, strength=1)


@given(st.integers(1, 30), st.integers(1, 10), st.integers(0, 2**16), st.floats(1e-4, 10))
@settings(deadline=None)
def test_weights_are_probabilities_and_follow_scores(
    rows: int, k: int, seed: int, temperature: float
) -> None:
    scores, indices = sparse(rows, 10, k, seed)
    weights = balanced_weights(scores, indices, np.zeros(10), temperature=temperature)
    np.testing.assert_allclose(weights.sum(axis=1), 1, rtol=0, atol=1e-11)
    assert (np.diff(weights, axis=1) <= 0).all()


def test_a_row_of_closed_instructions_falls_back_to_its_scores() -> None:
    scores, indices = sparse(5, 6, 2, seed=0)
    closed = np.full(6, -np.inf)
    open_ = balanced_weights(scores, indices, np.zeros(6), temperature=TEMPERATURE)
    assert (
        balanced_weights(scores, indices, closed, temperature=TEMPERATURE).tobytes()
        == open_.tobytes()
    )


def repeated(weights: list[float], rows: int) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """One distribution for many images."""
    indices = np.tile(np.arange(len(weights), dtype=np.int64), (rows, 1))
    return np.tile(np.array(weights), (rows, 1)), indices, [f"image-{i}" for i in range(rows)]


# Upper 1e-6 quantile of chi-square with 3 degrees of freedom; seeds are fixed, so no run differs.
CHI_SQUARE_3 = 30.7


@pytest.mark.parametrize("seed", [0, 1, 2**40])
def test_the_first_choice_follows_the_weights(seed: int) -> None:
    shares = [0.5, 0.3, 0.15, 0.05]
    weights, indices, ids = repeated(shares, 20_000)
    counts = np.bincount(choose(weights, indices, ids, 1, seed)[:, 0], minlength=4)
    expected = np.array(shares) * 20_000
    assert ((counts - expected) ** 2 / expected).sum() < CHI_SQUARE_3


def test_the_second_choice_follows_the_weights_that_are_left() -> None:
    shares = [0.4, 0.3, 0.2, 0.1]
    weights, indices, ids = repeated(shares, 30_000)
    chosen = choose(weights, indices, ids, 2, 7)
    second = chosen[chosen[:, 0] == 0, 1]
    counts = np.bincount(second, minlength=4)
    assert counts[0] == 0
    expected = np.array(shares[1:]) / 0.6 * len(second)
    assert ((counts[1:] - expected) ** 2 / expected).sum() < CHI_SQUARE_3


def test_draws_of_images_and_of_seeds_do_not_hang_together() -> None:
    weights, indices, ids = repeated([0.25] * 4, 20_000)
    one, other = (choose(weights, indices, ids, 1, seed)[:, 0] for seed in (1, 2))
    table = np.bincount(one * 4 + other, minlength=16)
    # 15 degrees of freedom, upper 1e-6 quantile.
    assert ((table - 1250) ** 2 / 1250).sum() < 56.5
    pairs = np.bincount(one[:-1] * 4 + one[1:], minlength=16)
    assert ((pairs - len(one) / 16) ** 2 / (len(one) / 16)).sum() < 56.5


@given(st.integers(1, 20), st.integers(1, 8), st.integers(1, 10), st.integers(0, 2**64))
@settings(deadline=None)
def test_a_draw_depends_on_the_image_alone_and_never_repeats(
    rows: int, k: int, count: int, seed: int
) -> None:
    scores, indices = sparse(rows, 9, k, seed % 1000)
    weights = balanced_weights(scores, indices, np.zeros(9), temperature=TEMPERATURE)
    ids = [f"bild-ü-{row}" for row in range(rows)]
    chosen = choose(weights, indices, ids, count, seed)
    assert chosen.shape == (rows, min(count, k))
    assert all(len(set(row)) == len(row) for row in chosen.tolist())
    backwards = choose(weights[::-1], indices[::-1], ids[::-1], count, seed)[::-1]
    assert chosen.tolist() == backwards.tolist()
    alone = [
        choose(weights[row : row + 1], indices[row : row + 1], [ids[row]], count, seed)[0].tolist()
        for row in range(rows)
    ]
    assert chosen.tolist() == alone


def test_a_draw_is_the_same_on_every_machine() -> None:
    weights, indices, _ = repeated([0.25] * 4, 6)
    chosen = choose(weights, indices, ["a", "b", "c", "ü", "", "z/1"], 4, 42)
    assert chosen.tolist() == GOLDEN


def test_a_closed_instruction_is_drawn_last() -> None:
    weights, indices, ids = repeated([0.0, 0.5, 0.5], 200)
    assert 0 not in choose(weights, indices, ids, 2, 0)
    assert (choose(weights, indices, ids, 3, 0)[:, 2] == 0).all()


@pytest.mark.parametrize("pick", [best, lambda i, c: choose(np.ones(i.shape), i, ["x"] * 3, c, 0)])
def test_no_more_than_there_is_can_be_chosen(
    pick: Callable[[np.ndarray, int], np.ndarray],
) -> None:
    indices = np.arange(6, dtype=np.int64).reshape(3, 2)
    assert pick(indices, 5).shape == (3, 2)
    assert pick(indices, 1).shape == (3, 1)


def test_best_takes_the_first_candidates() -> None:
    indices = np.array([[5, 3, 1], [2, 0, 4]], np.int64)
    assert best(indices, 2).tolist() == [[0, 1], [0, 1]]
    assert best(np.zeros((0, 3), np.int64), 2).shape == (0, 2)


def test_what_leaves_the_module_is_rounded() -> None:
    scores, indices = sparse(200, 12, 6, seed=9)
    found = potentials([(scores, indices)], 12, temperature=TEMPERATURE, strength=0.7)
    weights = balanced_weights(scores, indices, found, temperature=TEMPERATURE)
    for values, decimals in ((found, 9), (weights, 12)):
        assert values.tobytes() == np.array([round(v, decimals) for v in values.flat]).tobytes()
        assert (np.unique(values) != 0).any()


def test_keys_that_differ_in_their_last_bits_are_equal_and_the_earlier_candidate_wins() -> None:
    """The same instruction twice has the same noise, so the weights alone decide."""
    indices = np.zeros((50, 2), np.int64)
    ids = [f"image-{row}" for row in range(50)]
    for later, winner in ((0.5 * (1 + 1e-13), 0), (0.5 * (1 + 1e-7), 1)):
        weights = np.tile([0.5, later], (50, 1))
        assert choose(weights, indices, ids, 1, 0).ravel().tolist() == [winner] * 50


def test_zeros_have_no_sign() -> None:
    """Which side of zero a last bit falls on must not show either."""
    flat = np.full((4, 2), 0.25, np.float32), np.tile(np.array([0, 1], np.int64), (4, 1))
    found = potentials([flat], 2, temperature=TEMPERATURE, strength=1)
    assert found.tobytes() == np.zeros(2).tobytes()
    assert not np.signbit(_rounded(np.array([-1e-13, -0.0, 0.0, 1e-13]), 9)).any()


# Instruction sets that change last bits of exp and log, by numpy's names.
WIDE = "X86_V4 AVX512_ICL AVX512_SPR AVX512F AVX512_SKX"
SCRIPT = """
import sys
import numpy as np
from mmi_hpc.matching import balanced_weights, choose, potentials

draw = np.random.default_rng(0)
rows, bank, k = 20_000, 200, 16
scores = -np.sort(-draw.uniform(0.1, 0.35, (rows, k)).astype(np.float32), axis=1)
indices = np.argsort(draw.random((rows, bank)), axis=1)[:, :k].astype(np.int64)
found = potentials([(scores, indices)], bank, temperature=0.02, strength=0.5)
weights = balanced_weights(scores, indices, found, temperature=0.02)
chosen = choose(weights, indices, [f"image-{row}" for row in range(rows)], 4, 0)
plain = np.exp(scores.astype(np.float64) / 0.02)
np.savez(sys.argv[1], found=found, weights=weights, chosen=chosen, plain=plain)
"""


def results(path: Path, disabled: str) -> dict[str, bytes]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(path)],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        env={**os.environ, "NPY_DISABLE_CPU_FEATURES": disabled},
    )
    assert done.returncode == 0, done.stderr
    with np.load(path) as saved:
        return {name: saved[name].tobytes() for name in saved}


def test_bytes_do_not_depend_on_the_instruction_set_of_the_cpu(tmp_path: Path) -> None:
    wide, narrow = results(tmp_path / "a.npz", ""), results(tmp_path / "b.npz", WIDE)
    if wide.pop("plain") == narrow.pop("plain"):
        pytest.skip(f"numpy computes the same bits here with and without {WIDE}")
    assert wide == narrow
