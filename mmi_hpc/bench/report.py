"""Results for people: a table for the terminal, and one in Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

_COLUMNS = (
    *("shape", "competitor", "ms", "min", "vs ours", "GFLOP/s", "% AMX", "% FMA", "packing ms"),
    *("extra MiB", "exact", "recall", "note"),
)
_LEFT = ("shape", "competitor", "note")

Document = Mapping[str, Any]


def add_percentages(records: Iterable[dict[str, Any]], peaks: Mapping[str, float]) -> None:
    """Hold every rate against the peaks of the same run, in place."""
    for record in records:
        if "gflops" not in record:
            continue
        for name in ("amx", "fma"):
            peak = peaks[name]
            record[f"percent_{name}"] = 100 * record["gflops"] / peak if peak else None


def cells(record: Mapping[str, Any]) -> list[str]:
    """One row of either table."""
    if record["reason"]:
        dashes = ["-"] * (len(_COLUMNS) - 3)
        return [record["shape"], record["competitor"], *dashes, record["reason"]]
    return [
        record["shape"],
        record["competitor"],
        _number(1e3 * record["median_seconds"]),
        _number(1e3 * record["min_seconds"]),
        _suffixed(record["times_ours"], "{:.2f}x"),
        _number(record["gflops"]),
        _suffixed(record.get("percent_amx"), "{:.1f}"),
        _suffixed(record.get("percent_fma"), "{:.1f}"),
        _milliseconds(record["packing_seconds"]),
        _mebibytes(record.get("extra_bytes")),
        _percent(record["exact_match"]),
        "-" if record["recall"] is None else _percent(record["recall"]),
        "; ".join(filter(None, [record["note"], _phases(record), _stats(record)])),
    ]


def heading(document: Document) -> list[str]:
    """Lines that belong above a table."""
    machine, peaks = document["machine"], document["peaks"]
    lines = [
        f"{document['task']}, data: {document['data']}, {document['threads']} threads, "
        f"median of {document['rounds']} rounds; {machine['processor']}, {machine['cores']} cores; "
        f"{document['date'][:10]}, source {document['source'] or 'unknown'}",
        f"peaks of this run: AMX bfloat16 {peaks['amx']:,.0f} GFLOP/s, float32 multiply-add "
        f"{peaks['fma']:,.0f} GFLOP/s (AVX2 {peaks['avx2']:,.0f}), copy {peaks['copy']:,.0f} GB/s",
    ]
    if document["task"] == "kmeans":
        lines.append(
            "ms per iteration: the whole fit to centroids and their labels, with everything it "
            "includes, divided by the updates done; GFLOP/s counts one assignment per update"
        )
    return lines


def table(document: Document) -> Any:
    """A table for the terminal."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    result = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in _COLUMNS:
        left = column in _LEFT
        result.add_column(column, justify="left" if left else "right", no_wrap=column != "note")
    shape = ""
    for record in document["rows"]:
        if shape and record["shape"] != shape:
            result.add_section()
        first = record["shape"] != shape
        shape = record["shape"]
        result.add_row(*(Text(cell) for cell in [shape if first else "", *cells(record)[1:]]))
    return result


def markdown(document: Document) -> str:
    """The same in Markdown."""
    rules = [":---" if column in _LEFT else "---:" for column in _COLUMNS]
    rows = [cells(record) for record in document["rows"]]
    lines = [[*_COLUMNS], rules, *[[cell.replace("|", r"\|") for cell in row] for row in rows]]
    body = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return "\n\n".join(heading(document)) + f"\n\n{body}\n"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else _number(1e3 * seconds)


def _suffixed(value: float | None, form: str) -> str:
    return "-" if value is None else form.format(value)


def _percent(share: float) -> str:
    """100 only if nothing is missing."""
    return "100 %" if share == 1 else f"{min(100 * share, 99.99):.2f} %"


def _mebibytes(value: int | None) -> str:
    return "-" if value is None else f"{value / 2**20:,.0f}"


def _phases(record: Mapping[str, Any]) -> str:
    phases = record["phases"]
    whole = "whole fit: " if phases and record.get("iterations") else ""
    return whole + ", ".join(f"{name} {_number(1e3 * s)} ms" for name, s in phases.items())


def _stats(record: Mapping[str, Any]) -> str:
    numbers = {n: v for n, v in record["stats"].items() if isinstance(v, int | float)}
    return ", ".join(f"{name} {_number(value)}" for name, value in numbers.items())
