"""python -m mmi_hpc VERB: look at a run, check it, and try again what failed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from mmi_hpc.cli import console, errors_are_sentences, print_status
from mmi_hpc.errors import WorkError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
RunPath = Annotated[Path, typer.Argument(help="the run's folder, e.g. runs/quickstart")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@app.command()
@errors_are_sentences
def plan(
    recipe: Annotated[Path, typer.Argument(help="YAML file, e.g. configs/quickstart.yaml")],
    overrides: Annotated[list[str] | None, typer.Argument(help="settings, key=value")] = None,
    profile: Annotated[Path | None, typer.Option(help="site profile (YAML)")] = None,
    as_json: Json = False,
) -> None:
    """Show what a launch would do: which stages run, which are reused, and why."""
    from dataclasses import asdict

    from mmi_hpc.launch import prepared

    with prepared(recipe, overrides or [], profile) as launch:
        if as_json:
            stages = [asdict(stage) for stage in launch.plan]
            _print_json({"run": str(launch.path), "stages": stages})
        else:
            launch.show()


@app.command()
@errors_are_sentences
def status(run: RunPath, as_json: Json = False) -> None:
    """Show where a run stands, from its files alone."""
    from mmi_hpc.engine.run import find

    found = find(run)
    if as_json:
        from mmi_hpc.engine.status import as_json as content

        _print_json(content(found))
    else:
        print_status(found)


@app.command()
@errors_are_sentences
def retry(
    run: RunPath,
    failed_records: Annotated[
        bool, typer.Option("--failed-records", help="also shards that hold failed records")
    ] = False,
) -> None:
    """Free failed shards and work on them again."""
    from mmi_hpc.engine.retry import retry as free
    from mmi_hpc.engine.run import find
    from mmi_hpc.launch import execute, finish

    found = find(run)
    freed = free(found, failed_records=failed_records)
    for item in freed:
        numbers = ", ".join(map(str, item.shards))
        console().print(f"{item.stage}: trying shards {numbers} again")
    if not freed:
        console().print("no shard has failed; continuing with what is left")
    execute(found)
    finish(found)


@app.command()
@errors_are_sentences
def verify(
    run: RunPath,
    deep: Annotated[bool, typer.Option("--deep", help="read every row again")] = False,
    as_json: Json = False,
) -> None:
    """Hold every finished shard against its marker."""
    from dataclasses import asdict

    from mmi_hpc.engine.run import find
    from mmi_hpc.engine.verify import verify as check

    problems = list(check(find(run), deep=deep))
    if as_json:
        _print_json([asdict(problem) for problem in problems])
    for problem in [] if as_json else problems:
        kind = "warning" if problem.warning else "wrong"
        console().print(f"{kind}: {problem.stage} shard {problem.shard}: {problem.text}")
    errors = [problem for problem in problems if not problem.warning]
    if errors:
        raise WorkError(
            f"{len(errors)} outputs do not agree with their markers. Remove the damaged stage "
            "folders below the run's root (store/STAGE/...) and launch again to redo them."
        )
    if not as_json:
        console().print("all finished shards agree with their markers")


@app.command()
@errors_are_sentences
def report(run: RunPath) -> None:
    """Write the HTML report of a run, as far as it has got."""
    from mmi_hpc.engine.run import find
    from mmi_hpc.report.of_run import write_report

    sys.stdout.write(f"report: {write_report(find(run))}\n")


def _print_json(content: object) -> None:
    import orjson

    sys.stdout.write(orjson.dumps(content, option=orjson.OPT_INDENT_2).decode() + "\n")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
