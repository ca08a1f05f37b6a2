"""Lists the files below a folder in an order that is the same everywhere."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from mmi_hpc.errors import ConfigError

_Identity = tuple[int, int]


def files_below(root: Path, suffixes: Collection[str]) -> list[str]:
    """Sorted names, relative to `root`, of all files with one of the suffixes (lower case).

    Links to folders are followed, but never into a folder that leads to the link itself. A file
    that two ways lead to is listed under both names, so the order of the walk does not matter.

    Raises:
        ConfigError: A folder cannot be looked into.
    """
    found: list[str] = []
    pending: list[tuple[str, frozenset[_Identity]]] = [("", frozenset())]
    while pending:
        below, way = pending.pop()
        identity, folders, files = _look_into(os.path.join(root, below))
        if identity in way:
            continue
        pending += [(os.path.join(below, name), way | {identity}) for name in folders]
        found += [
            os.path.join(below, name)
            for name in files
            if os.path.splitext(name)[1].lower() in suffixes
        ]
    return sorted(found)


def _look_into(folder: str) -> tuple[_Identity, list[str], list[str]]:
    """Device and inode of a folder, and the names of the folders and of all else in it."""
    folders, files = list[str](), list[str]()
    try:
        status = os.stat(folder)
        with os.scandir(folder) as entries:
            for entry in entries:
                (folders if _is_folder(entry) else files).append(entry.name)
    except OSError as error:
        raise ConfigError(
            f"cannot look into the folder {error.filename or folder}: {error.strerror}. "
            "Correct its permissions or ingest.source.path and try again."
        ) from error
    return (status.st_dev, status.st_ino), folders, files


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link that leads to itself: whoever reads it as a file is told so.
        return False
