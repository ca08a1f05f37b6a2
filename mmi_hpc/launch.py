"""python -m mmi_hpc.launch RECIPE [key=value ...]: run a recipe, doing only what is left to do."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from mmi_hpc.cli import console, errors_are_sentences, print_changes, print_plan, print_status
from mmi_hpc.config.layers import compose, validate
from mmi_hpc.config.settings import scientific
from mmi_hpc.engine import planner
from mmi_hpc.engine.fingerprints import open_stage
from mmi_hpc.engine.run import Run, discard, fill, final_path, find, keep, new_draft
from mmi_hpc.errors import ConfigError, WorkError

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@app.command()
@errors_are_sentences
def launch(
    recipe: Annotated[Path, typer.Argument(help="YAML file, e.g. configs/quickstart.yaml")],
    overrides: Annotated[
        list[str] | None, typer.Argument(help="settings, e.g. answer.examples=1")
    ] = None,
    profile: Annotated[Path | None, typer.Option(help="site profile (YAML)")] = None,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="do not ask")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="show the plan and stop")] = False,
) -> None:
    """Run a recipe on this machine; finished work is reused."""
    with prepared(recipe, overrides or [], profile) as asked:
        asked.show()
        if dry_run:
            return
        # What was done before is being replaced: worth a question where a person can answer.
        if asked.redoes_work and not yes:
            _confirm()
        run = keep(asked.draft, asked.identity)
    if asked.todo:
        execute(run)
    finish(run)


@dataclass(frozen=True)
class Launch:
    """A checked and planned launch.

    Attributes:
        draft: The run as a draft.
        identity: The settings that tell this run from others of its name.
        before: The run of that name before it; the same one when nothing has changed.
        plan: What happens to each stage.
    """

    draft: Run
    identity: dict[str, Any]
    before: Run | None
    plan: list[planner.StagePlan]

    @property
    def path(self) -> Path:
        """The run's folder, once it is kept."""
        return final_path(self.draft, self.identity)

    @property
    def is_new(self) -> bool:
        """Whether it differs from the run of this name before."""
        return self.before is None or self.before.path.name != self.path.name

    @property
    def todo(self) -> bool:
        """Whether anything is left to do."""
        return any(stage.action != "reuse" for stage in self.plan)

    @property
    def redoes_work(self) -> bool:
        """Whether work of the run before will be done anew."""
        return self.todo and self.before is not None and self.is_new

    def show(self) -> None:
        """Print what differs from before and what will be done."""
        if self.before is not None and self.is_new:
            print_changes(planner.changes(self.before.config, self.draft.config))
        print_plan(self.path, self.plan)


@contextmanager
def prepared(recipe: Path, overrides: list[str], profile: Path | None) -> Iterator[Launch]:
    """Check everything and plan, on a draft that is gone after the block unless it was kept."""
    from mmi_hpc.stages import classes, settings_class

    settings = validate(settings_class(), compose(recipe, overrides, profile=profile), str(recipe))
    os.umask(int(settings.site.umask, 8))
    root = settings.root.resolve()
    link = root / settings.name
    if link.exists() and not link.is_symlink():
        raise ConfigError(f"name={settings.name}: {link} is taken. Choose another name.")
    before = find(link) if link.exists() else None
    stop_like_ctrl_c()
    stages = classes(settings.stages)
    drafted = new_draft(root)
    try:
        fill(drafted, settings.model_dump(mode="json"), stages)
        planner.check(drafted)
        open_stage(drafted, drafted.stages[0], refresh=True)
        identity = scientific(settings, located=True)
        yield Launch(drafted, identity, before, planner.plan(drafted, before))
    finally:
        discard(drafted)


def execute(run: Run) -> None:
    """Let the local executor do the work, showing progress.

    Raises:
        WorkError: A worker failed; the message is its own.
    """
    from mmi_hpc.engine.local import run_workers
    from mmi_hpc.progress import Progress

    stop_like_ctrl_c()
    with Progress(run) as progress:
        code, error = run_workers(run, progress.update)
    if code:
        failure = WorkError(error or f"a worker ended with exit code {code}; see {run.logs}")
        failure.exit_code = code
        raise failure


def finish(run: Run) -> None:
    """Link the dataset, write the report and say where both are."""
    from mmi_hpc.report.of_run import dataset, write_report

    print_status(run)
    report = write_report(run)
    data = dataset(run)
    if data is not None:
        sys.stdout.write(f"dataset: {data}\n")
    sys.stdout.write(f"report: {report}\n")


def stop_like_ctrl_c() -> None:
    """Let a closed terminal or a batch system's TERM end a launch as Ctrl-C does.

    Otherwise they would leave workers and drafts behind. A signal that is ignored, as under
    `nohup`, stays ignored.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _interrupt)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _confirm() -> None:
    if not sys.stdin.isatty():
        raise ConfigError(
            "this launch does work of an earlier run of this name anew (shown above). "
            "Add --yes to go on, or name=ANOTHER to keep both under their own names."
        )
    if not typer.confirm("Go on?", default=True):
        console().print("Nothing was started.")
        raise typer.Exit(0)


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
