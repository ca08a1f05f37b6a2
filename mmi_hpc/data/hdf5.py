"""HDF5 habits in one place, so that old site libraries read our files and crashes cannot hurt.

One writer per file; the oldest file format that holds our data; no time stamps, so equal content
gives equal bytes; text as packed UTF-8 with offsets, because variable-length strings live in heaps
that are slow and that some tools cannot read.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import h5py

_CHUNK_BYTES = 1 << 20
_BUFFER_BYTES = 8 << 20


@contextmanager
def create(path: Path) -> Iterator[h5py.File]:
    """Open a new file for writing; on leaving it is written to disk, flushed and re-opened once.

    The file is laid out in memory and written by plain I/O: when a disk fills up under the HDF5
    library, it cannot close the file and ends the process with a segmentation fault.
    """
    import h5py

    image = BytesIO()
    with h5py.File(image, "w", libver=("earliest", "v110")) as file:
        yield file
    with path.open("wb") as target:
        target.write(image.getbuffer())
        target.flush()
        os.fsync(target.fileno())
    with open_read(path):
        pass


@contextmanager
def open_read(path: Path) -> Iterator[h5py.File]:
    """Open a file for reading.

    Raises:
        ValueError: The file is missing or damaged; the message names it. This holds for everything
            that is read inside the block: the library finds most damage only then.
    """
    import h5py

    try:
        with h5py.File(path, "r", locking="best-effort") as file:
            yield file
    except (OSError, KeyError, RuntimeError, TypeError) as error:
        raise ValueError(f"{path} is no readable HDF5 file: {error}") from error


def write_array(file: h5py.File, name: str, array: np.ndarray[Any, Any]) -> None:
    """Store an array in chunks of about 1 MiB of whole rows (empty arrays are stored flat)."""
    rows = max(1, _CHUNK_BYTES // max(1, array[:1].nbytes)) if array.size else 0
    chunks = (min(rows, len(array)), *array.shape[1:]) if array.size else None
    file.create_dataset(name, data=array, chunks=chunks, track_times=False)


def write_text(file: h5py.File, name: str, texts: Sequence[bytes]) -> None:
    """Store byte strings as one packed array `name` and `name_offsets` (n + 1)."""
    offsets = np.zeros(len(texts) + 1, np.int64)
    np.cumsum([len(text) for text in texts], out=offsets[1:])
    write_array(file, name, np.frombuffer(b"".join(texts), np.uint8))
    write_array(file, f"{name}_offsets", offsets)


def read_text(file: h5py.File, name: str) -> list[bytes]:
    """Read back what `write_text` stored."""
    blob = file[name][:].tobytes()
    offsets = file[f"{name}_offsets"][:]
    return [blob[a:b] for a, b in pairwise(offsets)]


class BlobWriter:
    """Appends byte strings to one packed dataset, in writes of a few MiB."""

    def __init__(self, file: h5py.File, name: str) -> None:
        self._file, self._name = file, name
        self._data = file.create_dataset(
            name, (0,), np.uint8, chunks=(_CHUNK_BYTES,), maxshape=(None,), track_times=False
        )
        self._offsets = [0]
        self._buffer = bytearray()

    def append(self, data: bytes) -> None:
        """Add one byte string."""
        self._buffer += data
        self._offsets.append(self._offsets[-1] + len(data))
        if len(self._buffer) >= _BUFFER_BYTES:
            self._flush()

    def close(self) -> None:
        """Write what is left and the offsets."""
        self._flush()
        write_array(self._file, f"{self._name}_offsets", np.array(self._offsets, np.int64))

    def _flush(self) -> None:
        end = len(self._data)
        self._data.resize((end + len(self._buffer),))
        self._data[end:] = np.frombuffer(bytes(self._buffer), np.uint8)
        self._buffer.clear()
