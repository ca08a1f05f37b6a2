"""Measured rows as the JSON keeps them."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from mmi_hpc.bench import ours
from mmi_hpc.bench.measure import Row
from mmi_hpc.bench.peers import find
from mmi_hpc.bench.shapes import Shape


def as_records(shape: Shape, rows: Sequence[Row]) -> list[dict[str, Any]]:
    """The rows of one problem as the JSON has them, with what follows from the times."""
    base = {row.entry.metric: row.seconds for row in rows if _is_base(row)}
    return [_record(shape, row, base.get(row.entry.metric, [])) for row in rows]


def _is_base(row: Row) -> bool:
    return not row.entry.isa and row.entry.key in (ours.NAME, f"{ours.NAME} euclidean")


def _record(shape: Shape, row: Row, base: Sequence[float]) -> dict[str, Any]:
    record: dict[str, Any] = {
        "shape": shape.name,
        "sizes": {"n": shape.n, "m": shape.m, "d": shape.d, "k": shape.k},
        "flops": shape.flops,
        "bytes": shape.bytes,
        "competitor": row.entry.name,
        "metric": row.entry.metric,
        "environment": dict(row.entry.environment),
        "reason": row.reason,
        "note": "",
        "seconds": row.seconds,
    }
    if not row.entry.reason:
        record["note"] = note(shape, row)
    if row.reason:
        return record
    median = statistics.median(row.seconds)
    facts = {**row.facts, "phases": _median_phases(row.facts["phases"])}
    # Of each round, because both sides of a round met the same machine.
    ratios = [mine / other for mine, other in zip(row.seconds, base, strict=False)]
    return record | {
        "median_seconds": median,
        "min_seconds": min(row.seconds),
        "times_ours": statistics.median(ratios) if ratios else None,
        "gflops": shape.flops / median / 1e9,
        **facts,
    }


def note(shape: Shape, row: Row) -> str:
    """What a reader of the row has to know."""
    competitor = find(shape.task, row.entry.key)
    parts = [competitor.note] if competitor.note else []
    if competitor.share > 1:
        parts.append(f"timed on 1/{competitor.share} of the rows and scaled")
    if row.entry.isa and competitor.name == "faiss":
        parts.append("library and OpenBLAS held to AVX2")
    if row.facts.get("isa"):
        parts.append(f"{row.facts['isa']} kernels")
    return "; ".join(parts)


def _median_phases(phases: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: statistics.median(p[name] for p in phases if name in p) for name in phases[-1]}
