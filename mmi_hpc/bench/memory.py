"""Peak resident memory of a stretch of a process, from /proc."""

from __future__ import annotations

from pathlib import Path

_STATUS = Path("/proc/self/status")
_RESET_PEAK = "5"


class PeakMemory:
    """Counts from its creation on.

    Raises:
        OSError: This system does not let a process reset its peak (Linux does).
    """

    def __init__(self) -> None:
        Path("/proc/self/clear_refs").write_text(_RESET_PEAK)
        self._before = _kibibytes("VmRSS")

    def bytes(self) -> int:
        """Most memory held at any time since then, beyond what was held at first."""
        return max(0, _kibibytes("VmHWM") - self._before) * 1024


def _kibibytes(field: str) -> int:
    for line in _STATUS.read_text().splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1])
    raise OSError(f"{_STATUS} has no {field}")
