"""What was measured where: processor, versions, time, and the state of the source."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import subprocess
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from mmi_hpc.kernels import info

_PACKAGES = (
    *("mmi_hpc", "numpy", "faiss-cpu", "torch", "scikit-learn", "scikit-learn-intelex"),
    *("usearch", "threadpoolctl"),
)
_INTERESTING_FLAGS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile", "amx_bf16", "amx_int8")


def describe() -> dict[str, Any]:
    """Everything a reader needs to judge the numbers."""
    flags = _cpu("flags").split()
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "source": source_version(),
        "kernels": info(),
        "machine": {
            "processor": _cpu("model name") or platform.processor(),
            "architecture": platform.machine(),
            "instructions": [flag for flag in _INTERESTING_FLAGS if flag in flags],
            "cores": len(os.sched_getaffinity(0)),
            "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
            "load_before": [round(value, 2) for value in os.getloadavg()],
            "system": platform.platform(),
        },
        "versions": {"python": platform.python_version()} | _versions(),
    }


def source_version() -> str:
    """Commit of the source folder, with "-dirty" for uncommitted changes; "" outside of git."""
    folder = Path(__file__).resolve().parents[2]
    command = ["git", "-C", str(folder), "describe", "--always", "--dirty", "--abbrev=12"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()


def _versions() -> dict[str, str]:
    found = {}
    for name in _PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # its rows say so
    return found


def _cpu(field: str) -> str:
    path = Path("/proc/cpuinfo")
    for line in path.read_text().splitlines() if path.exists() else []:
        if line.partition(":")[0].strip() == field:
            return line.partition(":")[2].strip()
    return ""
