"""What the kernels accept: arrays of any library, checked once, widened to float32 in blocks.

The compiled code takes contiguous float32 only. float16 and bfloat16 are widened, which is exact,
and strided or unaligned rows are copied, a block of rows at a time, so that a memory-mapped file
larger than memory can be searched.
"""

from __future__ import annotations

import mmap
import operator
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mmi_hpc.kernels import _core

_BLOCK_BYTES = 64 * 2**20
_PART_BYTES = 2**30
_MOST_PART_ROWS = 2**25 - 1
_MOST_THREADS = 1024
_DLPACK_CPU = 1
_ACCEPTED = "float32, float16 or bfloat16"


@dataclass(frozen=True)
class Rows:
    """A two-dimensional array of rows, still in the caller's dtype and strides.

    Attributes:
        name: What the caller calls it; every message names it.
        array: A NumPy array, or a torch tensor of bfloat16, which NumPy lacks.
    """

    name: str
    array: Any

    @property
    def count(self) -> int:
        """Number of rows."""
        return int(self.array.shape[0])

    @property
    def dim(self) -> int:
        """Number of columns."""
        return int(self.array.shape[1])

    @property
    def in_place(self) -> bool:
        """Whether `float32` gives views: the rows are aligned, contiguous float32 already."""
        array = self.array
        return (
            isinstance(array, np.ndarray)
            and array.dtype == np.float32
            and array.flags.c_contiguous
            and array.flags.aligned
        )

    @property
    def resident(self) -> bool:
        """Whether the rows can be used in place and lie in memory rather than in a mapped file."""
        return self.in_place and not _is_memory_mapped(self.array)

    def float32(self, begin: int = 0, end: int | None = None) -> NDArray[np.float32]:
        """Rows begin..end as aligned, contiguous float32; a view where they already are."""
        block = self.array[begin:end]
        if not isinstance(block, np.ndarray):
            block = block.float().numpy()
        return np.require(block, np.float32, ["C_CONTIGUOUS", "ALIGNED"])

    def blocks(self, rows: int | None = None) -> Iterator[tuple[int, int]]:
        """(begin, end) of consecutive blocks; by default of about 64 MiB in float32."""
        step = rows or max(1, _BLOCK_BYTES // (4 * self.dim))
        for begin in range(0, self.count, step):
            yield begin, min(begin + step, self.count)

    def parts(self) -> Iterator[tuple[int, int]]:
        """(begin, end) of the parts that a bank is packed in.

        Rows that can be used in place come in parts of 1 GiB, so that a memory-mapped file may
        exceed memory; others in blocks, because each is copied.
        """
        size = _PART_BYTES if self.in_place else _BLOCK_BYTES
        return self.blocks(max(1, min(_MOST_PART_ROWS, size // (4 * self.dim))))


def as_rows(name: str, array: Any) -> Rows:
    """Check one argument of rows.

    Args:
        name: The argument's name, for messages.
        array: (rows, columns) of float32, float16 or bfloat16: a NumPy array, a torch CPU tensor,
            or any CPU array with `__dlpack__`.

    Raises:
        TypeError: It is not such an array, or has another dtype.
        ValueError: It is on a device, or is not two-dimensional, or has no columns.
    """
    found = _host_array(name, array)
    if len(found.shape) != 2:
        raise ValueError(
            f"{name} has shape {tuple(found.shape)}, but two dimensions (rows, columns) are "
            f"needed; a single vector is {name}[None, :]"
        )
    if found.shape[1] == 0:
        raise ValueError(f"{name} has shape {tuple(found.shape)}: its rows have no columns")
    return Rows(name, found)


def squared_norms(rows: NDArray[np.float32], name: str, first: int, threads: int) -> NDArray[Any]:
    """dot(row, row) of each row in float64, shape (rows,).

    Args:
        rows: Contiguous float32 rows.
        name: The argument they come from.
        first: Number of the first of them within that argument.
        threads: Number of threads.

    Raises:
        ValueError: A row holds an infinity or a NaN; the first such row is named.
    """
    squared = np.empty(len(rows), np.float64)
    bad = _core.squared_norms(rows, squared, threads)
    if bad >= 0:
        raise not_finite(name, first + bad)
    return squared


def not_finite(name: str, row: int) -> ValueError:
    """The error for a row that holds a NaN or an infinity."""
    return ValueError(
        f"row {row} of {name} is not finite (it holds a NaN or an infinity); "
        "drop such rows or find out where they come from"
    )


def check_same_dim(a: Rows, b: Rows) -> None:
    """Refuse two arguments whose rows differ in length."""
    if a.dim != b.dim:
        raise ValueError(
            f"{a.name} has shape {tuple(a.array.shape)}, but {b.name} has {tuple(b.array.shape)}: "
            "their rows must be equally long, from the same embedding model"
        )


def check_count(name: str, value: int, least: int = 1) -> int:
    """The value as an int of at least `least`."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None
    if number < least:
        raise ValueError(f"{name} is {number}, but must be at least {least}")
    return number


def check_threads(threads: int | None) -> int:
    """The number of threads; by default the cores this process may run on."""
    if threads is None:
        return default_threads()
    threads = check_count("threads", threads)
    if threads > _MOST_THREADS:
        raise ValueError(f"threads is {threads}, but must be at most {_MOST_THREADS}")
    return threads


def check_device(device: str | None) -> None:
    """Refuse a device that these kernels do not run on."""
    if device not in (None, "cpu"):
        raise ValueError(f"device={device!r}: these kernels run on the CPU; use None or 'cpu'")


def default_threads() -> int:
    """Cores this process may run on: what Slurm, taskset or a container granted it."""
    return len(os.sched_getaffinity(0))


def _host_array(name: str, array: Any) -> Any:
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        return _from_torch(torch, name, array)
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array, whose mask would be lost; fill or drop rows first"
        )
    if isinstance(array, np.ndarray):
        return _checked_dtype(name, array)
    if isinstance(array, memoryview):
        return _checked_dtype(name, np.asarray(array))
    if not hasattr(array, "__dlpack__"):
        raise TypeError(
            f"{name} is a {type(array).__name__}; pass a NumPy array, a torch CPU tensor, or a CPU "
            "array with __dlpack__"
        )
    return _from_dlpack(name, array)


def _from_torch(torch: Any, name: str, tensor: Any) -> Any:
    if tensor.device.type != "cpu":
        raise _on_device(name, str(tensor.device))
    if tensor.layout != torch.strided:
        raise TypeError(f"{name} is a tensor with layout {tensor.layout}; pass {name}.to_dense()")
    tensor = tensor.detach().resolve_neg()
    if tensor.dtype == torch.bfloat16:
        return tensor
    if tensor.dtype not in (torch.float32, torch.float16):
        raise _wrong_dtype(name, str(tensor.dtype).removeprefix("torch."), "float()")
    return tensor.numpy()


def _from_dlpack(name: str, array: Any) -> Any:
    device = array.__dlpack_device__()[0]
    if device != _DLPACK_CPU:
        raise _on_device(name, f"DLPack device type {int(device)}")
    try:
        found = np.from_dlpack(array)
    except (BufferError, RuntimeError, TypeError) as error:
        raise TypeError(
            f"{name} is a {type(array).__name__} that NumPy cannot take over ({error}); "
            f"pass {_ACCEPTED}, bfloat16 as a torch tensor"
        ) from error
    return _checked_dtype(name, found)


def _checked_dtype(name: str, array: NDArray[Any]) -> NDArray[Any]:
    if array.dtype.kind != "f" or array.dtype.itemsize > 4:
        raise _wrong_dtype(name, str(array.dtype), "astype(np.float32)")
    return array


def _wrong_dtype(name: str, dtype: str, conversion: str) -> TypeError:
    return TypeError(
        f"{name} has dtype {dtype}, but {_ACCEPTED} is needed; if rounding is what you want, pass "
        f"{name}.{conversion}"
    )


def _on_device(name: str, device: str) -> ValueError:
    return ValueError(
        f"{name} is on {device}, but these kernels run on the CPU; pass a copy in host memory, "
        f"such as {name}.cpu()"
    )


def _is_memory_mapped(array: Any) -> bool:
    while array is not None and not isinstance(array, mmap.mmap):
        array = getattr(array, "base", None)
    return array is not None
