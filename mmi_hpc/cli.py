"""What the commands share: errors as sentences, and the tables that a person reads."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from mmi_hpc.errors import EXIT_WORK_FAILED, MmiError, site_error

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from mmi_hpc.engine.planner import Change, StagePlan
    from mmi_hpc.engine.run import Run
    from mmi_hpc.engine.status import StageStatus

Command = TypeVar("Command", bound=Callable[..., None])


@functools.cache
def console() -> Console:
    """Where tables go; plain and unwrapped when nobody watches."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160
    # Paths and reasons may hold square brackets, which are no markup.
    return Console(width=width, highlight=False, soft_wrap=True, markup=False)


def errors_are_sentences(command: Command) -> Command:
    """Print our own errors as a sentence and leave with their exit code."""

    @functools.wraps(command)
    def wrapped(*args: Any, **kwargs: Any) -> None:
        try:
            command(*args, **kwargs)
        except KeyboardInterrupt:
            sys.stderr.write("stopped. Run the same command again to continue.\n")
            raise typer.Exit(130) from None
        except MmiError as error:
            sys.stderr.write(f"error: {error}\n")
            raise typer.Exit(error.exit_code) from None
        except BrokenPipeError:
            # Whoever reads has seen enough (`| head`); there is nobody to tell.
            sys.stdout = open(os.devnull, "w")  # noqa: SIM115
            raise typer.Exit(0) from None
        except OSError as error:
            problem = site_error(error)
            reason = problem or f"{error.filename or 'a file'}: {error.strerror or error}."
            sys.stderr.write(f"error: {reason}\n")
            raise typer.Exit(problem.exit_code if problem else EXIT_WORK_FAILED) from None

    return wrapped  # type: ignore[return-value]


def print_changes(changes: Sequence[Change]) -> None:
    """Settings that differ from the run before."""
    if not changes:
        return
    console().print("Settings that differ from the last run of this name:")
    for change in changes:
        console().print(f"  {change.setting}: {change.before!r} -> {change.after!r}")


def print_plan(path: Path, plan: Sequence[StagePlan]) -> None:
    """What will be done, stage by stage."""
    table = _table("stage", "action", "shards", "rows", "why")
    for stage in plan:
        shards = "?" if stage.shards is None else str(stage.shards)
        if stage.action == "continue":
            shards = f"{stage.done}/{stage.shards}"
        rows = "?" if stage.rows is None else f"{stage.rows:,}"
        table.add_row(stage.stage, stage.action, shards, rows, stage.reason)
    console().print(f"run: {path}")
    console().print(table)


def print_status(run: Run) -> None:
    """Progress, stage by stage."""
    from mmi_hpc.engine.status import status

    console().print(status_table(status(run)))


def status_table(stages: Sequence[StageStatus]) -> Any:
    """Progress as a table."""
    from rich.text import Text

    table = _table("stage", "state", "shards", "rows", "failures", "rows/s", "left", "last error")
    for stage in stages:
        failed = f" ({stage.failed} failed)" if stage.failed else ""
        table.add_row(
            stage.stage,
            stage.state,
            f"{stage.done}/{stage.shards}{failed}" if stage.shards else "-",
            f"{stage.rows:,}",
            f"{stage.failures:,}" if stage.failures else "-",
            f"{stage.rate:,.1f}" if stage.rate else "-",
            duration(stage.eta_seconds) if stage.state == "running" else "-",
            Text(stage.error.splitlines()[0][:80] if stage.error else ""),
        )
    return table


def duration(seconds: float | None) -> str:
    """Seconds for a reader: "42 s", "3 min", "5.2 h", or "-" when unknown."""
    if seconds is None:
        return "-"
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _table(*columns: str) -> Any:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    numbers = {"shards", "rows", "failures", "rows/s", "left"}
    for column in columns:
        table.add_column(column, justify="right" if column in numbers else "left")
    return table
