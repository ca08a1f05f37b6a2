"""What the compiled kernels are: for bug reports and run records."""

from __future__ import annotations

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import default_threads


def info() -> dict[str, str | int]:
    """Describe the build.

    Returns:
        isa: Instruction set of the kernels ("portable").
        compiler: Compiler and its version.
        version: Version of mmi_hpc the module was built from.
        threads: Threads that a call uses unless told otherwise.
    """
    return {**_core.build_info(), "threads": default_threads()}
