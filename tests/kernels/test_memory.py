"""What the kernels need beside inputs, results and the packed bank stays small, whatever the size.

Blocks of queries, candidate lists and pairs are bounded by constants; the table of all scores,
which would take 9 GB here, never exists.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

MOST = 256 * 2**20

# Peak of resident memory during a call, over what was resident before, in bytes. Touched once
# before, so that what a first call loads does not count.
PROGRAM = """
import json, sys
import numpy as np
from mmi_hpc.kernels import Bank, cosine_topk, near_duplicates

def resident(field):
    with open("/proc/self/status") as status:
        line = next(line for line in status if line.startswith(field))
    return 1024 * int(line.split()[1])

def extra(call):
    with open("/proc/self/clear_refs", "w") as control:
        control.write("5")  # forget the peak so far
    before = resident("VmRSS")
    result = call()
    return resident("VmHWM") - before, result

rng = np.random.default_rng(0)
queries = rng.standard_normal((40_000, 64), dtype=np.float32)
rows = rng.standard_normal((60_000, 64), dtype=np.float32)
rows[30_000:40_000] = rows[:10_000]
cosine_topk(queries[:10], rows[:10], 1)
try:
    packing, bank = extra(lambda: Bank(rows, threads=2))
except PermissionError:
    sys.exit("not permitted")
searching, found = extra(lambda: cosine_topk(queries, bank, 100, threads=2))
listed = found.scores.nbytes + found.indices.nbytes
del found
few = queries[:8_000]
both, found = extra(lambda: cosine_topk(few, rows, 100, threads=2))
listed_few = found.scores.nbytes + found.indices.nbytes
del found
joining, pairs = extra(lambda: sum(len(b.i) for b in near_duplicates(rows, 0.9, threads=2)))
assert pairs >= 10_000
print(json.dumps({
    "packing a Bank": packing - bank.nbytes,
    "searching a Bank": searching - listed,
    "searching an array": both - listed_few - bank.nbytes,
    "joining": joining - bank.nbytes,
}))
"""


def test_memory_beside_inputs_and_results_is_bounded():
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join([root, os.environ.get("PYTHONPATH", "")])
    found = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    if found.stderr == "not permitted\n":
        pytest.skip("this system does not let a process reset its peak of memory")
    assert found.stderr == ""
    beside = json.loads(found.stdout)
    assert max(beside.values()) < MOST, beside
