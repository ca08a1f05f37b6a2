"""Every instruction set of this machine gives the bits of the reference; MMI_ISA chooses one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mmi_hpc.kernels import info

FOLDER = Path(__file__).parent
USABLE = info()["usable_isas"]
KNOWN = ["amx", "avx512", "avx2", "scalar"]


def run(arguments, isa):
    path = os.pathsep.join([str(FOLDER.parents[1]), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": path, "MMI_ISA": isa}
    command = [sys.executable, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def reports():
    """What isa_matrix.py says on each instruction set."""
    return {isa: run([str(FOLDER / "isa_matrix.py")], isa) for isa in USABLE}


@pytest.mark.parametrize("isa", USABLE)
def test_results_are_those_of_the_reference(reports, isa):
    assert reports[isa].stderr == ""
    assert reports[isa].returncode == 0
    assert json.loads(reports[isa].stdout)["isa"] == isa


def test_all_instruction_sets_give_the_same_bits(reports):
    digests = [json.loads(report.stdout)["digests"] for report in reports.values()]
    assert all(found == digests[0] for found in digests)


def test_the_best_instruction_set_is_used_unless_one_is_named():
    program = "from mmi_hpc.kernels import info; print(info()['isa'])"
    for isa in USABLE:
        assert run(["-c", program], isa).stdout == f"{isa}\n"
    assert run(["-c", program], "").stdout == f"{USABLE[0]}\n"


PROGRAM = """
import numpy as np
from mmi_hpc.kernels import Bank, cosine_topk, info, near_duplicates
x = np.eye(20, dtype=np.float32)
for call in (
    info,
    lambda: Bank(x),
    lambda: cosine_topk(x, x, 1),
    lambda: near_duplicates(x, 0.5),
    info,
):
    try:
        call()
    except ValueError as error:
        print(error)
"""


@pytest.mark.parametrize("name", ["nonsense", "AVX2", " ", *(set(KNOWN) - set(USABLE))])
def test_an_instruction_set_that_cannot_be_used_is_one_clear_error_in_every_call(name):
    found = run(["-c", PROGRAM], name)
    message = (
        f"MMI_ISA={name} cannot be used here: this build on this processor has "
        f"{', '.join(USABLE)}; unset MMI_ISA for the best of them"
    )
    assert found.stdout.splitlines() == [message] * 5
    assert found.stderr == ""
