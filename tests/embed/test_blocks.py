"""Blocks of one shape: the bits of a row follow from the row alone."""

from __future__ import annotations

import logging

import numpy as np
import pytest

from mmi_hpc.embed.blocks import BlockEncoder

torch = pytest.importorskip("torch")


class Forward:
    """Doubles its input, notes the shapes it saw, and disturbs the rows after `clean`."""

    def __init__(self, clean: int) -> None:
        self.clean = clean
        self.sizes: list[int] = []

    def __call__(self, rows: dict[str, torch.Tensor]) -> torch.Tensor:
        result = rows["x"] * 2
        self.sizes.append(len(result))
        result[self.clean :] = torch.nextafter(
            result[self.clean :], torch.full_like(result[self.clean :], torch.inf)
        )
        return result


def rows(count: int, width: int = 3) -> torch.Tensor:
    return torch.arange(1, 1 + count * width, dtype=torch.float32).reshape(count, width)


def test_every_block_has_the_same_size_and_the_padding_is_cut_off() -> None:
    forward = Forward(clean=4)
    encoder = BlockEncoder(forward, 4, 1)
    found = encoder.encode({"x": rows(9)})
    assert set(forward.sizes) == {4}
    np.testing.assert_array_equal(found, rows(9).numpy() * 2)


@pytest.mark.parametrize("clean", [1, 2, 3])
def test_a_library_whose_bits_follow_the_position_gets_one_row_at_a_time(
    clean: int, caplog: pytest.LogCaptureFixture
) -> None:
    forward = Forward(clean)
    encoder = BlockEncoder(forward, 4, 1)
    with caplog.at_level(logging.WARNING):
        found = encoder.encode({"x": rows(9)})
    np.testing.assert_array_equal(found, rows(9).numpy() * 2)
    assert forward.sizes == [4, *[1] * 9]  # one probe, then rows
    assert "one input at a time" in caplog.text


def test_each_shape_is_probed_once() -> None:
    forward = Forward(clean=4)
    encoder = BlockEncoder(forward, 4, 1)
    for width in (3, 5, 3, 5):
        encoder.encode({"x": rows(2, width)})
    assert len(forward.sizes) == 2 + 4


def test_several_tensors_of_a_row_stay_together() -> None:
    encoder = BlockEncoder(lambda given: given["x"] * given["mask"], 4, 1)
    mask = torch.tensor([[1.0], [0.0], [1.0], [0.0], [1.0]])
    found = encoder.encode({"x": rows(5), "mask": mask})
    np.testing.assert_array_equal(found, (rows(5) * mask).numpy())
