"""Errors about a place that cannot be written become one sentence; others stay what they are."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from mmi_hpc import errors
from mmi_hpc.errors import ConfigError, MmiError, Requeue, SiteError, WorkError, site_error


def test_every_kind_of_error_has_its_exit_code() -> None:
    kinds = {WorkError: 1, ConfigError: 64, SiteError: 69, Requeue: 75}
    for kind, code in kinds.items():
        assert issubclass(kind, MmiError)
        assert kind("why").exit_code == code
    assert (errors.EXIT_DONE, errors.EXIT_USAGE) == (0, 2)


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission"),
        (errno.EMLINK, "links"),
    ],
)
def test_an_unwritable_place_is_named_with_its_reason(number: int, reason: str) -> None:
    found = site_error(OSError(number, "as the system says", "/data/runs/shard.h5"))
    assert isinstance(found, SiteError)
    assert "/data/runs/shard.h5" in str(found)
    assert reason in str(found)


def test_the_path_of_the_caller_stands_in_for_a_missing_one() -> None:
    found = site_error(OSError(errno.ENOSPC, "full"), Path("/data/runs"))
    assert "/data/runs" in str(found)
    assert "cannot write: the disk is full" in str(site_error(OSError(errno.ENOSPC, "full")))


def test_the_cause_of_an_error_is_searched() -> None:
    def save() -> None:
        try:
            raise OSError(errno.EROFS, "read-only", "/data/x")
        except OSError as error:
            raise ValueError("cannot save") from error

    with pytest.raises(ValueError, match="cannot save") as caught:
        save()
    assert "/data/x" in str(site_error(caught.value))


def test_hdf5_hides_the_number_in_its_text() -> None:
    text = "Unable to write (file write failed: errno = 28, error message = 'No space left')"
    assert "the disk is full" in str(site_error(RuntimeError(text), Path("/data/a.h5")))


@pytest.mark.parametrize(
    "error",
    [
        FileNotFoundError(errno.ENOENT, "missing", "/data/x"),
        ValueError("28"),
        RuntimeError("errno = 2, no such file"),
        KeyError("errno"),
    ],
)
def test_other_errors_are_not_blamed_on_the_site(error: Exception) -> None:
    assert site_error(error) is None
