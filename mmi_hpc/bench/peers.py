"""Who takes part: competitors by name, and the environments that hold them to fewer instructions.

How faiss is held to AVX2: the wheels of faiss-cpu 1.15 carry one library that chooses its own
kernels at run time (FAISS_SIMD_LEVEL; FAISS_OPT_LEVEL chooses between builds that these wheels do
not have, so it changes nothing), and OpenBLAS, which does the products and obeys
OPENBLAS_CORETYPE. Searching 4,000 x 5,000 rows of 768 with one thread ran at 178 GFLOP/s as it is,
at 180 with FAISS_SIMD_LEVEL=AVX2 alone, and at 110 with OPENBLAS_CORETYPE=Haswell, where the AVX2
multiply-add peak is 131. Both are set; builds on MKL are told as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mmi_hpc.bench import ours, peers_kmeans, peers_pairs, peers_topk
from mmi_hpc.bench.problem import Competitor
from mmi_hpc.errors import ConfigError

ISAS = ("amx", "avx512", "avx2", "scalar")
COMPETITORS = (
    *ours.COMPETITORS,
    *peers_topk.COMPETITORS,
    *peers_kmeans.COMPETITORS,
    *peers_pairs.COMPETITORS,
)
HELD_TO_AVX2 = {
    "FAISS_SIMD_LEVEL": "AVX2",
    "FAISS_OPT_LEVEL": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
}


@dataclass(frozen=True)
class Entry:
    """A competitor in an environment: one row of a table.

    Attributes:
        name: As the table calls it.
        key: The competitor's key.
        metric: The competitor's metric.
        isa: Instruction set that it is held to; "" for whatever it chooses.
        environment: Variables of the process that it runs in.
        reason: Why it cannot take part; "" if it can.
    """

    name: str
    key: str
    metric: str = "cosine"
    isa: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""


def find(task: str, key: str) -> Competitor:
    """The competitor of a task with this key."""
    return next(c for c in COMPETITORS if c.task == task and c.key == key)


def entries(task: str, names: Sequence[str], isas: Sequence[str]) -> list[Entry]:
    """The rows of a table: ours, then the named peers, then what is held to some instructions.

    Raises:
        ConfigError: A name or an instruction set is not known.
    """
    known = list(dict.fromkeys(c.name for c in COMPETITORS if not c.name.startswith(ours.NAME)))
    _check("--vs", names, known)
    _check("--isa", isas, ISAS)
    mine = [c for c in COMPETITORS if c.task == task]
    rows = [Entry(c.key, c.key, c.metric) for c in ours.COMPETITORS if c.task == task]
    for name in dict.fromkeys(names):
        solved = [Entry(c.key, c.key, c.metric) for c in mine if c.name == name]
        reason = f"{name} has nothing of its own for {task} here."
        rows += solved or [Entry(name, name, reason=reason)]
    for isa in dict.fromkeys(isas):
        held = [c for c in mine if c.name == ours.NAME]
        rows += [_held(c, isa, {"MMI_ISA": isa}) for c in held]
        if isa == "avx2":
            also = [c for c in mine if c.name == "faiss" and "faiss" in names]
            rows += [_held(c, isa, {"MMI_ISA": isa, **HELD_TO_AVX2}) for c in also]
    return sorted(rows, key=lambda row: row.metric)


def _held(competitor: Competitor, isa: str, environment: Mapping[str, str]) -> Entry:
    return Entry(f"{competitor.key} [{isa}]", competitor.key, competitor.metric, isa, environment)


def _check(option: str, given: Sequence[str], known: Sequence[str]) -> None:
    for name in given:
        if name not in known:
            raise ConfigError(f"{option} {name} is not known. Use some of: {','.join(known)}.")
