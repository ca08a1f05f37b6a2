"""The kernels behave inside a process: Ctrl-C, fork, several callers, their self-description."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import mmi_hpc
from mmi_hpc.kernels import Bank, cosine_topk, info

ENDLESS = {
    "cosine_topk": "cosine_topk(x, x, 10, threads=2)",
    "cosine_topk with a Bank": "cosine_topk(x, Bank(x, threads=2), 10, threads=2)",
    "long lists": "cosine_topk(x[:100], x, 100_000, threads=2)",
    "lists that overflow": "cosine_topk(x, x[:1].repeat(200_000, 0), 10, threads=2)",
    "packing": "[Bank(x, threads=2) for _ in range(10_000)]",
    "few_queries": "cosine_topk(x[:1].repeat(200_000, 0), x, 10, threads=2)",
    "kmeans": "kmeans(x, 60_000, threads=2)",
    "near_duplicates": "list(near_duplicates(x, 0.9, threads=2))",
    "near_duplicates against": "list(near_duplicates(x, 0.9, against=x.copy(), threads=2))",
    "dense near_duplicates": "[len(pairs.i) for pairs in near_duplicates(x, 0.1, threads=2)]",
}
# A job that runs in the background inherits an ignored SIGINT; here it must arrive.
PROGRAM = """
import signal
import numpy as np
signal.signal(signal.SIGINT, signal.default_int_handler)
from mmi_hpc.kernels import *
x = np.random.default_rng(0).standard_normal((200_000, 64), dtype=np.float32)
print("ready", flush=True)
try:
    {call}
except KeyboardInterrupt:
    print("interrupted", flush=True)
"""


@pytest.mark.parametrize("call", ENDLESS.values(), ids=ENDLESS.keys())
def test_ctrl_c_ends_a_long_call(call):
    command = [sys.executable, "-c", PROGRAM.format(call=call)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == "ready\n"
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(timeout=0.7)
            process.send_signal(signal.SIGINT)
            output, _ = process.communicate(timeout=30)
        finally:
            process.kill()
    assert output == "interrupted\n"
    assert process.returncode == 0


def test_a_child_forked_after_use_can_use_the_kernels():
    x = np.eye(100, dtype=np.float32)
    cosine_topk(x, x, 1, threads=4)
    child = os.fork()
    if child == 0:
        same = (cosine_topk(x, x, 1, threads=4).indices[:, 0] == np.arange(100)).all()
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_child_forked_after_use_of_a_bank_can_search_it():
    x = np.random.default_rng(0).standard_normal((600, 20), dtype=np.float32)
    bank = Bank(x, threads=4)
    expected = cosine_topk(x, bank, 3, threads=4).indices
    child = os.fork()
    if child == 0:
        same = (cosine_topk(x, bank, 3, threads=4).indices == expected).all()
        same &= (cosine_topk(x, Bank(x), 3, threads=4).indices == expected).all()
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_a_call_that_was_interrupted_leaves_its_bank_as_it_was():
    x = np.random.default_rng(0).standard_normal((100_000, 32), dtype=np.float32)
    bank = Bank(x)
    expected = cosine_topk(x[:50], bank, 3).indices.tobytes()
    handler = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):  # noqa: PT012 one call may be over too soon
            signal.setitimer(signal.ITIMER_REAL, 0.2)
            while True:
                cosine_topk(x, bank, 10, threads=2)
    finally:
        signal.signal(signal.SIGALRM, handler)
    assert cosine_topk(x[:50], bank, 3).indices.tobytes() == expected


def test_calls_from_many_python_threads_do_not_disturb_each_other():
    x = np.random.default_rng(0).standard_normal((500, 30), dtype=np.float32)
    expected = cosine_topk(x, x, 5).indices.tobytes()
    with ThreadPoolExecutor(4) as pool:
        results = pool.map(lambda _: cosine_topk(x, x, 5, threads=2).indices.tobytes(), range(16))
    assert set(results) == {expected}


def test_info_describes_the_build():
    found = info()
    assert found["isa"] == os.environ.get("MMI_ISA", found["usable_isas"][0])
    assert found["usable_isas"][-1] == "scalar"
    assert found["threads"] == len(os.sched_getaffinity(0))
    assert found["version"] == mmi_hpc.__version__
    assert found["compiler"].split()[0] in {"GNU", "Clang", "AppleClang"}
