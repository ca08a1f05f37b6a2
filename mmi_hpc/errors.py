"""Errors that a person reads: one sentence with what, where and what to do, and an exit code."""

from __future__ import annotations

import errno
from pathlib import Path

EXIT_DONE = 0
EXIT_WORK_FAILED = 1
EXIT_USAGE = 2
EXIT_CONFIG = 64
EXIT_SITE = 69
EXIT_REQUEUE = 75

# What an operating system says when a place cannot take another byte, whoever writes it.
_SITE_ERRNOS = {
    errno.ENOSPC: "the disk is full",
    errno.EDQUOT: "your quota is used up",
    errno.EROFS: "it is mounted read-only",
    errno.EACCES: "you have no permission to write there",
    errno.EPERM: "you have no permission to write there",
    errno.EMLINK: "the file system allows no further links there",
    errno.ENOTDIR: "a part of this path is a file and no folder",
    errno.ENAMETOOLONG: "the path is too long",
    errno.ELOOP: "its symbolic links lead in a circle",
}


class MmiError(Exception):
    """Base of every error that ends a command with a sentence instead of a traceback."""

    exit_code = EXIT_WORK_FAILED


class WorkError(MmiError):
    """Work failed although the settings and the site are in order."""


class DamagedFileError(WorkError, ValueError):
    """A file of a run is torn, or is not what its name says."""


class ConfigError(MmiError):
    """A setting, a path or a model name is wrong; nothing was started."""

    exit_code = EXIT_CONFIG


class SiteError(MmiError):
    """This machine cannot do it: full disk, read-only folder, missing package."""

    exit_code = EXIT_SITE


class Requeue(MmiError):
    """The worker was asked to stop; everything recorded so far is kept."""

    exit_code = EXIT_REQUEUE


def site_error(error: BaseException, path: Path | None = None) -> SiteError | None:
    """Translate an operating-system error about *where* we write, or return None.

    Args:
        error: The exception that was caught; its causes are searched as well.
        path: The path that was being written, when the error itself does not name one.
    """
    cause: BaseException | None = error
    seen: set[int] = set()
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        number = cause.errno if isinstance(cause, OSError) else _errno_in_text(cause)
        if number in _SITE_ERRNOS:
            where = (cause.filename if isinstance(cause, OSError) else None) or path
            place = f"cannot write {where}" if where else "cannot write"
            return SiteError(
                f"{place}: {_SITE_ERRNOS[number]}. "
                "Free or choose another place (root=PATH), then run the same command again: "
                "finished shards are kept."
            )
        cause = cause.__cause__ or cause.__context__
    return None


def _errno_in_text(error: BaseException) -> int | None:
    """HDF5 reports a failed write as a RuntimeError whose text holds 'errno = 28'."""
    text = str(error)
    for number in _SITE_ERRNOS:
        if f"errno = {number}," in text or f"errno {number}," in text:
            return number
    return None
