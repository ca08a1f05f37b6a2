"""Files as the only truth: atomic replacement, publish-if-absent, and content digests.

A shared file system gives two primitives that hold everywhere (local disk, NFS, Lustre, GPFS):
`rename` replaces a name in one step, and `link` creates a name only if it is free.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import xxhash

from mmi_hpc.errors import DamagedFileError

_BLOCK = 1 << 20


def dump_json(value: Any) -> bytes:
    """Encode as canonical JSON: sorted keys, UTF-8, one trailing newline."""
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_APPEND_NEWLINE)


def load_json(path: Path) -> Any:
    """Decode one JSON file.

    Raises:
        DamagedFileError: The file is not complete JSON; the message names it.
    """
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise DamagedFileError(f"{path} is not valid JSON: {error}.") from error


def sync_folder(folder: Path) -> None:
    """Make a created or renamed name in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def replace(path: Path, data: bytes) -> None:
    """Write `data` so that readers see the old content or the new one, never a mixture."""
    temporary = _write_temporary(path, data)
    try:
        os.replace(temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def publish(path: Path, data: bytes) -> bool:
    """Create `path` with `data` unless it exists; exactly one of several writers wins.

    Returns:
        True when this call created the file, False when it was already there.
    """
    temporary = _write_temporary(path, data)
    try:
        os.link(temporary, path)
    except FileExistsError:
        # A file system over a network may repeat a lost request and then deny its own success;
        # the number of names of our temporary file tells (link(2), open(2)).
        if os.stat(temporary).st_nlink != 2:
            return False
    finally:
        temporary.unlink(missing_ok=True)
    sync_folder(path.parent)
    return True


def point(link: Path, target: Path) -> None:
    """Make the symbolic link `link` lead to `target` (stored relative), replacing an older one."""
    link.parent.mkdir(parents=True, exist_ok=True)
    # Both ends are resolved: '..' out of a folder that is a link leads somewhere else.
    relative = os.path.relpath(os.path.realpath(target), os.path.realpath(link.parent))
    if link.is_symlink() and os.readlink(link) == relative:
        return
    temporary = link.with_name(f".{link.name}.{secrets.token_hex(4)}")
    temporary.symlink_to(relative)
    try:
        os.replace(temporary, link)
    except BaseException:
        temporary.unlink()
        raise


def digest_file(path: Path) -> str:
    """xxh128 of a file's bytes, as 32 hex digits."""
    hasher = xxhash.xxh3_128()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            hasher.update(block)
    return hasher.hexdigest()


def digest_model(path: Path) -> str:
    """Identity of a local model: names, sizes, and the first and last MiB of every file.

    Checkpoints are too large to be hashed whole whenever a run is planned; a training step changes
    the bytes everywhere, so both ends are enough to tell two checkpoints apart.
    """
    hasher = xxhash.xxh3_128()
    for file in sorted(_files(path)):
        size = file.stat().st_size
        name = file.relative_to(path).as_posix() if path.is_dir() else ""
        hasher.update(dump_json([name, size]))
        with file.open("rb") as handle:
            hasher.update(handle.read(_BLOCK))
            handle.seek(max(0, size - _BLOCK))
            hasher.update(handle.read(_BLOCK))
    return hasher.hexdigest()


def complete_lines(path: Path) -> Iterator[bytes]:
    """Yield the lines that end in a newline; a torn last line belongs to a dead writer."""
    with path.open("rb") as file:
        for line in file:
            if line.endswith(b"\n"):
                yield line


def _files(path: Path) -> list[Path]:
    return [p for p in path.rglob("*") if p.is_file()] if path.is_dir() else [path]


def _write_temporary(path: Path, data: bytes) -> Path:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary
