"""The C++ tests of csrc/tests pass, and no function leaks out of its instruction set."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILD = ROOT / "build" / "native"
OLDEST_CMAKE = (3, 26)


def cmake_folder():
    """Where cmake and ctest are: in their Python package, or on the path if new enough."""
    try:
        from cmake import CMAKE_BIN_DIR

        return Path(CMAKE_BIN_DIR)
    except ImportError:
        found = shutil.which("cmake")
    if found is None:
        pytest.skip("cmake was not found: pip install cmake")
    version = re.search(r"(\d+)\.(\d+)", run([found, "--version"]).stdout)
    if tuple(map(int, version.groups())) < OLDEST_CMAKE:
        pytest.skip(f"{found} is {version[0]}, but 3.26 is needed: pip install cmake")
    return Path(found).parent


def run(command):
    return subprocess.run(
        list(map(str, command)), capture_output=True, text=True, check=False, timeout=280
    )


def checked(command):
    result = run(command)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


@pytest.fixture(scope="module")
def tools():
    """The folder of cmake and ctest, once the tests are built."""
    folder = cmake_folder()
    generator = ["-G", "Ninja"] if shutil.which("ninja") else []
    command = [folder / "cmake", "--fresh", *generator, "-S", ROOT, "-B", BUILD, "-DMMI_TESTS=ON"]
    configured = run(command)
    if "doctest was not found" in configured.stderr:
        pytest.skip("doctest was not found: install the package doctest-dev (make system-deps)")
    assert configured.returncode == 0, configured.stderr
    jobs = str(len(os.sched_getaffinity(0)))
    checked([folder / "cmake", "--build", BUILD, "--parallel", jobs])
    return folder


def test_the_native_tests_pass(tools):
    output = checked([tools / "ctest", "--test-dir", BUILD, "--output-on-failure"])
    passed = re.search(r"100% tests passed.* out of (\d+)", output)
    assert int(passed[1]) > 20


# What an object file of one instruction set may define for others to link: its table alone. A
# function that the linker merged with its namesakes could reach a processor that cannot run it.
TABLE = r"mmi::(k\w+Kernels|peak::k\w+)"
OBJECTS = [
    f"{folder}/{name}.cpp.o"
    for folder, names in (
        ("isa", ("amx", "avx512", "avx2", "scalar")),
        ("peak", ("amx", "avx512", "avx2")),
    )
    for name in names
]


@pytest.mark.parametrize("name", OBJECTS)
def test_an_instruction_set_defines_nothing_but_its_table(tools, name):
    nm = shutil.which("nm") or pytest.skip("nm was not found: install binutils")
    found = BUILD / "CMakeFiles" / "mmi_cpu.dir" / "csrc" / "cpu" / name
    if not found.exists():
        pytest.skip(f"this compiler does not build {name}")
    lines = checked([nm, "-C", "--defined-only", "--extern-only", found]).splitlines()
    # type (or, for a weak one, "w", "v" and the like) and name; DW.ref points at the exception
    # handler of the C++ library, and holds no code
    symbols = [line.split(maxsplit=2)[2] for line in lines if "DW.ref." not in line]
    assert len(symbols) == 1
    assert re.fullmatch(TABLE, symbols[0])
