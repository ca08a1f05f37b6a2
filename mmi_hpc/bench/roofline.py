"""The roofline picture: how near every measurement comes to what the machine can do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mmi_hpc.bench.ours import NAME

# Told apart by most colour-blind readers (after Okabe and Ito); ours are the two blues.
_OURS = ("#0072b2", "#56b4e9")
_PEERS = ("#d55e00", "#009e73", "#cc79a7", "#e69f00", "#666666", "#8c510a", "#bcbd22", "#000000")
_MARKERS = "osD^vP*Xph<>"
_LEAST_GAP = 1.09  # shapes nearer to each other than this are drawn side by side

Rows = Sequence[Mapping[str, Any]]


def draw(document: Mapping[str, Any], base: Path) -> list[Path]:
    """Write base.svg and base.png; returns what was written, nothing if no row has a rate.

    Raises:
        ImportError: matplotlib is not installed.
    """
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    rows = [row for row in document["rows"] if "gflops" in row]
    if not rows:
        return []
    # A fixed salt and no date keep the SVG of equal results equal.
    settings: Any = {"font.size": 15, "svg.hashsalt": "mmi_hpc", "svg.fonttype": "none"}
    with pyplot.rc_context(settings):
        figure, axes = pyplot.subplots(figsize=(16, 9))
        figure.subplots_adjust(left=0.07, right=0.74, top=0.93, bottom=0.09)
        places = side_by_side(rows)
        low, high = _limits(list(places.values()), document["peaks"])
        _roofs(axes, document["peaks"], low, high)
        _points(axes, rows, places)
        _legends(figure, rows)
        _dress(axes, document, low, high)
        paths = [base.with_suffix(".svg"), base.with_suffix(".png")]
        figure.savefig(paths[0], metadata={"Date": None})
        figure.savefig(paths[1], dpi=120)
        pyplot.close(figure)
    return paths


def side_by_side(rows: Rows) -> dict[str, float]:
    """FLOP per byte that has to move, by shape; nearly equal ones are moved a little apart."""
    true = {row["shape"]: float(row["flops"] / row["bytes"]) for row in rows}
    places: dict[str, float] = {}
    last = 0.0
    for shape in sorted(true, key=lambda name: true[name]):
        last = max(true[shape], last * _LEAST_GAP)
        places[shape] = last
    return places


def _limits(places: Sequence[float], peaks: Mapping[str, float]) -> tuple[float, float]:
    ridge = max(peaks["amx"], peaks["fma"]) / peaks["copy"]
    return min(min(places) / 1.5, ridge / 4), max(max(places) * 1.5, ridge * 4)


def _roofs(axes: Any, peaks: Mapping[str, float], low: float, high: float) -> None:
    x = np.geomspace(low, high, 400)
    roofs = {"amx": ("AMX, bfloat16", "-"), "fma": ("multiply-add, float32", "--")}
    for kind, (name, style) in roofs.items():
        if not peaks[kind]:
            continue
        roof = np.minimum(x * peaks["copy"], peaks[kind])
        axes.plot(x, roof, style, color="#222222", linewidth=2, zorder=1)
        at, offset, side = ((high, -8, "right"), (low, 12, "left"))[kind == "fma"]
        _label(axes, f"{name}: {_short(peaks[kind])}", (at, peaks[kind]), (offset, 6), side)
    _label(axes, f"copy: {peaks['copy']:,.0f} GB/s", (low, low * peaks["copy"]), (12, -18), "left")


def _label(
    axes: Any, text: str, where: tuple[float, float], offset: tuple[int, int], side: str
) -> None:
    white = {"facecolor": "white", "edgecolor": "none", "alpha": 0.8, "pad": 1.5}
    axes.annotate(text, where, offset, textcoords="offset points", ha=side, bbox=white, zorder=2)


def _points(axes: Any, rows: Rows, places: Mapping[str, float]) -> None:
    looks, markers = _looks(rows), _markers(rows)
    for row in rows:
        marker, look = markers[row["shape"]], looks[row["competitor"]]
        axes.plot(
            places[row["shape"]],
            row["gflops"],
            marker=marker,
            linestyle="none",
            zorder=4 if row["competitor"].startswith(NAME) else 3,
            **look | {"markersize": look["markersize"] * (1.4 if marker == "*" else 1)},
        )


def _looks(rows: Rows) -> dict[str, dict[str, Any]]:
    """Colours by competitor; hollow for those that are held to some instructions."""
    names = list(dict.fromkeys(row["competitor"] for row in rows))
    free = [name for name in names if "[" not in name]
    ours = [name for name in free if name.startswith(NAME)]
    peers = [name for name in free if not name.startswith(NAME)]
    colours = {name: _OURS[i % len(_OURS)] for i, name in enumerate(ours)}
    colours |= {name: _PEERS[i % len(_PEERS)] for i, name in enumerate(peers)}
    looks: dict[str, dict[str, Any]] = {}
    for name in names:
        colour = colours.get(name.partition(" [")[0], "#444444")
        looks[name] = {"markersize": 13, "markerfacecolor": colour, "markeredgecolor": "white"}
        if "[" in name:
            hollow = "#ffffff" if "avx2" in name else "#dddddd"
            looks[name] |= {"markerfacecolor": hollow, "markeredgecolor": colour}
            looks[name] |= {"markeredgewidth": 2.5, "markersize": 11}
    return looks


def _markers(rows: Rows) -> dict[str, str]:
    shapes = list(dict.fromkeys(row["shape"] for row in rows))
    return {shape: _MARKERS[i % len(_MARKERS)] for i, shape in enumerate(shapes)}


def _legends(figure: Any, rows: Rows) -> None:
    from matplotlib.lines import Line2D

    who = [
        Line2D([], [], marker="s", linestyle="none", label=name, **look)
        for name, look in _looks(rows).items()
    ]
    grey: dict[str, Any] = {"color": "#444444", "linestyle": "none", "markersize": 11}
    what = [Line2D([], [], marker=m, label=name, **grey) for name, m in _markers(rows).items()]
    for handles, title, side, height in ((who, "who", "upper", 0.945), (what, "shape", "lower", 0)):
        legend = figure.legend(
            handles=handles,
            title=title,
            loc=f"{side} left",
            bbox_to_anchor=(0.745, height),
            frameon=False,
            alignment="left",
            labelspacing=0.35,
        )
        legend.get_title().set_fontweight("bold")


def _dress(axes: Any, document: Mapping[str, Any], low: float, high: float) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xlim(low, high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(LogLocator(subs=(1, 2, 5), numticks=30))
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(visible=True, which="major", alpha=0.25)
    axes.set_xlabel("FLOP per byte that has to move (nearly equal ones drawn side by side)")
    axes.set_ylabel("GFLOP/s")
    machine = document["machine"]
    axes.set_title(
        f"{document['task']} on {machine['processor']}, {document['threads']} threads, "
        f"{document['data']} data",
        loc="left",
    )


def _short(gflops: float) -> str:
    return f"{gflops / 1e3:,.1f} TFLOP/s" if gflops >= 1e3 else f"{gflops:,.0f} GFLOP/s"
