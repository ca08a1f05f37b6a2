"""What the compiled kernels are: for bug reports and run records."""

from __future__ import annotations

from mmi_hpc.kernels import _core
from mmi_hpc.kernels.inputs import default_threads


def info() -> dict[str, str | int | list[str]]:
    """Describe the build.

    Returns:
        isa: Instruction set in use: "amx", "avx512", "avx2" or "scalar". The best one of the
            processor, unless the environment variable MMI_ISA named another at the first use.
        usable_isas: All that this build has and this processor runs, best first.
        compiler: Compiler and its version.
        version: Version of mmi_hpc the module was built from.
        threads: Threads that a call uses unless told otherwise.

    Raises:
        ValueError: MMI_ISA names an instruction set that cannot be used here.
    """
    return {**_core.build_info(), "threads": default_threads()}


def isa() -> str:
    """The instruction set in use."""
    return str(_core.build_info()["isa"])
