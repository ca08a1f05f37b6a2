"""The roofline picture: how near every measurement comes to what the machine can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#666666", "#a6761d")
_MARKERS = "osD^vP*Xph<>"


def draw(document: Mapping[str, Any], base: Path) -> list[Path]:
    """Write base.svg and base.png; returns what was written, nothing if no row has a rate.

    Raises:
        ImportError: matplotlib is not installed.
    """
    rows = [row for row in document["rows"] if "gflops" in row]
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    if not rows:
        return []
    # A fixed salt and no date keep the SVG of equal results equal.
    settings: Any = {"font.size": 15, "svg.hashsalt": "mmi_hpc", "svg.fonttype": "none"}
    with pyplot.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(16, 9))
        low, high = _limits(rows, document["peaks"])
        _roofs(axes, document["peaks"], low, high)
        _points(axes, rows)
        _dress(axes, document, low, high)
        figure.tight_layout()
        paths = [base.with_suffix(".svg"), base.with_suffix(".png")]
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=120)
        pyplot.close(figure)
    return paths


def intensity(row: Mapping[str, Any]) -> float:
    """FLOP per byte that has to move."""
    return float(row["flops"] / row["bytes"])


def _limits(rows: Sequence[Mapping[str, Any]], peaks: Mapping[str, float]) -> tuple[float, float]:
    values = [intensity(row) for row in rows]
    ridge = max(peaks["amx"], peaks["fma"]) / peaks["copy"]
    return min(min(values) / 2, ridge / 4), max(max(values) * 2, ridge * 4)


def _roofs(axes: Any, peaks: Mapping[str, float], low: float, high: float) -> None:
    x = np.geomspace(low, high, 200)
    styles = {"amx": ("AMX bfloat16", "-"), "fma": ("float32 multiply-add", "--")}
    for kind, (name, style) in styles.items():
        if not peaks[kind]:
            continue
        axes.plot(x, np.minimum(x * peaks["copy"], peaks[kind]), style, color="#222222", lw=2)
        axes.annotate(
            f"{name}: {peaks[kind]:,.0f} GFLOP/s",
            (high, peaks[kind]),
            xytext=(-8, 6),
            textcoords="offset points",
            ha="right",
        )
    axes.annotate(
        f"copy: {peaks['copy']:,.0f} GB/s",
        (low, low * peaks["copy"]),
        xytext=(14, -4),
        textcoords="offset points",
        va="top",
    )


def _points(axes: Any, rows: Sequence[Mapping[str, Any]]) -> None:
    names = list(dict.fromkeys(row["competitor"] for row in rows))
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    for row in rows:
        axes.plot(
            intensity(row),
            row["gflops"],
            marker=_MARKERS[shapes.index(row["shape"]) % len(_MARKERS)],
            color=_COLOURS[names.index(row["competitor"]) % len(_COLOURS)],
            markersize=13,
            markeredgecolor="white",
            linestyle="none",
        )
    colours = [(name, "s", _COLOURS[i % len(_COLOURS)]) for i, name in enumerate(names)]
    markers = [(name, _MARKERS[i % len(_MARKERS)], "#444444") for i, name in enumerate(shapes)]
    _legend(axes, "who", colours, 1.0)
    _legend(axes, "shape", markers, 0.0)


def _legend(axes: Any, title: str, items: Sequence[tuple[str, str, str]], height: float) -> None:
    from matplotlib.lines import Line2D

    handles = [
        Line2D([], [], marker=marker, color=colour, linestyle="none", markersize=11, label=name)
        for name, marker, colour in items
    ]
    where = "upper left" if height else "lower left"
    legend = axes.legend(
        handles=handles, title=title, loc=where, bbox_to_anchor=(1.01, height), frameon=False
    )
    legend.get_title().set_fontweight("bold")
    axes.add_artist(legend)


def _dress(axes: Any, document: Mapping[str, Any], low: float, high: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    axes.grid(True, which="major", alpha=0.3)
    axes.set_xlabel("FLOP per byte that has to move")
    axes.set_ylabel("GFLOP/s")
    machine = document["machine"]
    axes.set_title(
        f"{document['task']}: {machine['processor']}, {document['threads']} threads, "
        f"{document['data']} data",
        loc="left",
    )
