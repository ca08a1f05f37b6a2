"""Encoding in blocks of one shape, so that a row's bits never depend on its neighbours.

Libraries choose their kernels by the shape of a batch, and the last bits follow the kernel.
So every block has the same shape (the last one is padded), and on first use of a shape one input
is encoded at every position of a block: if its bits differ, this machine's libraries treat
positions differently, and inputs are encoded one at a time instead.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import torch

log = logging.getLogger(__name__)
Float32 = npt.NDArray[np.float32]


class BlockEncoder:
    """Encodes a batch of tensors (n, ...) in blocks.

    Args:
        forward: Maps a dict of tensors (b, ...) to embeddings (b, d).
        block: Rows per block.
        threads: CPU threads; set anew for each batch, because another encoder of the same
            process may have set its own, and the last bits follow the number of threads.
    """

    def __init__(
        self, forward: Callable[[dict[str, torch.Tensor]], torch.Tensor], block: int, threads: int
    ) -> None:
        self._forward = forward
        self._block = block
        self._threads = threads
        self._sizes: dict[tuple[tuple[int, ...], ...], int] = {}

    def encode(self, inputs: dict[str, torch.Tensor]) -> Float32:
        """Encode all rows; all tensors have the same first dimension n.

        Returns:
            Float32 (n, d).
        """
        import torch

        torch.set_num_threads(self._threads)
        count = len(next(iter(inputs.values())))
        size = self._block_size(inputs)
        parts = [self._encode_block(inputs, start, size) for start in range(0, count, size)]
        return np.concatenate(parts)

    def _encode_block(self, inputs: dict[str, torch.Tensor], start: int, size: int) -> Float32:
        rows = {name: tensor[start : start + size] for name, tensor in inputs.items()}
        count = len(next(iter(rows.values())))
        return self._run({name: _padded(tensor, size) for name, tensor in rows.items()})[:count]

    def _run(self, rows: dict[str, torch.Tensor]) -> Float32:
        import torch

        with torch.inference_mode():
            result: Float32 = self._forward(rows).float().cpu().numpy()
        return result

    def _block_size(self, inputs: dict[str, torch.Tensor]) -> int:
        shape = tuple(tuple(tensor.shape[1:]) for tensor in inputs.values())
        if shape not in self._sizes:
            same = {
                name: tensor[:1].expand(self._block, *tensor.shape[1:]).contiguous()
                for name, tensor in inputs.items()
            }
            probe = self._run(same)
            equal = bool((probe.view(np.uint32) == probe[:1].view(np.uint32)).all())
            if not equal:
                log.warning(
                    "this machine's libraries give other bits at other places of a batch; "
                    "encoding one input at a time, which is slower, to keep results reproducible"
                )
            self._sizes[shape] = self._block if equal else 1
        return self._sizes[shape]


def _padded(tensor: torch.Tensor, size: int) -> torch.Tensor:
    """Repeat the last row up to `size` rows: padding must be an input that the model can take."""
    import torch

    missing = size - len(tensor)
    if missing <= 0:
        return tensor
    return torch.cat([tensor, tensor[-1:].expand(missing, *tensor.shape[1:])])
