"""Builds the compiled kernels with CMake; all else about the package is in pyproject.toml."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


class CMakeBuild(build_ext):
    """Configure and build `mmi_hpc.kernels._core`, in place for an editable install."""

    def build_extension(self, ext: Extension) -> None:
        """Build with all cores; a missing tool ends the build with a sentence."""
        check_cuda_setting(os.environ.get("MMI_CUDA", "auto"))
        cmake = find_cmake()
        check_compiler()
        target = Path(self.get_ext_fullpath(ext.name)).resolve().parent
        build = Path(self.build_temp).resolve() / ext.name
        # A fresh cache each time: an isolated build ran with tools that are gone by the next one.
        configure = [
            *(cmake, "--fresh", *generator(), "-S", str(ROOT), "-B", str(build)),
            f"-DPython_EXECUTABLE={sys.executable}",
            f"-DCMAKE_LIBRARY_OUTPUT_DIRECTORY={target}",
            f"-DCMAKE_BUILD_TYPE={'Debug' if self.debug else 'Release'}",
            f"-DMMI_VERSION={self.distribution.get_version()}",
        ]
        jobs = str(len(os.sched_getaffinity(0)))
        run(configure)
        run([cmake, "--build", str(build), "--target", "_core", "--parallel", jobs])


def check_cuda_setting(value: str) -> None:
    """Refuse a request for CUDA kernels instead of quietly building without them."""
    if value == "on":
        raise SystemExit(
            "MMI_CUDA=on: this version has CPU kernels only; build it with MMI_CUDA=off or auto."
        )
    if value not in ("off", "auto"):
        raise SystemExit(f"MMI_CUDA={value!r} is not known: use off, auto or on.")


def find_cmake() -> str:
    """The cmake of the Python package, which the build requires, or else the system's."""
    if importlib.util.find_spec("cmake"):
        from cmake import CMAKE_BIN_DIR

        return str(Path(CMAKE_BIN_DIR) / "cmake")
    found = shutil.which("cmake")
    if not found:
        raise SystemExit(
            "cmake was not found: install it with `pip install cmake` (3.26 or newer), "
            "or load the cmake module of your cluster."
        )
    return found


def check_compiler() -> None:
    """CMake's own message about a missing compiler fills a screen; this one fits in a line."""
    named = os.environ.get("CXX", "").split()
    candidates = named[:1] or ["c++", "g++", "clang++"]
    if not any(shutil.which(name) for name in candidates):
        raise SystemExit(
            f"No C++17 compiler was found (looked for {', '.join(candidates)}): install g++ 9 or "
            "newer, load the compiler module of your cluster, or set CXX to the compiler."
        )


def generator() -> list[str]:
    """Ninja where it is installed, else what CMake prefers, which is make."""
    return ["-G", "Ninja"] if shutil.which("ninja") else []


def run(command: list[str]) -> None:
    """Run one build step; its own output says what went wrong."""
    if subprocess.run(command, check=False).returncode:
        raise SystemExit(f"The kernels could not be built; this step failed: {' '.join(command)}")


setup(
    ext_modules=[Extension("mmi_hpc.kernels._core", sources=[])],
    cmdclass={"build_ext": CMakeBuild},
)
