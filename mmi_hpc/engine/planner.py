"""What a launch would do: which stages are done, which have to run, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import Stage
from mmi_hpc.engine.fingerprints import describe, locate, own_description
from mmi_hpc.engine.run import Run
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.errors import ConfigError
from mmi_hpc.files import load_json


@dataclass(frozen=True)
class StagePlan:
    """What happens to one stage.

    Attributes:
        stage: Its name.
        action: "reuse", "continue" or "run".
        shards: Planned shards, None when that depends on stages that run first.
        rows: Rows that are there, or that are planned; None when unknown.
        done: Shards that are done already.
        reason: Why it has to run, in words.
    """

    stage: str
    action: str
    shards: int | None = None
    rows: int | None = None
    done: int = 0
    reason: str = ""


@dataclass(frozen=True)
class Change:
    """A setting that differs from the run of the same name before."""

    setting: str
    before: Any
    after: Any


def check(run: Run) -> None:
    """Let every stage look for wrong settings and missing things before anything starts."""
    context = Context(run)
    for name in run.stages:
        stage: Stage[Any] = run.load_class(name)()
        missing = [other for other in stage.inputs(context) if other not in run.stages]
        if missing:
            raise ConfigError(
                f"stages: {name} reads {', '.join(missing)}, which the recipe leaves out. "
                f"Add {missing[0]} before {name}."
            )
        stage.check(context)


def plan(run: Run, before: Run | None) -> list[StagePlan]:
    """Work out what a launch of `run` would do; links of finished stages are set on the way.

    Args:
        run: The run, as a draft whose first stage was opened.
        before: The run of the same name before, to say what has changed.
    """
    context = Context(run)
    plans: list[StagePlan] = []
    stale: dict[str, str] = {}
    for name in run.stages:
        stage: Stage[Any] = run.load_class(name)()
        cause = next((other for other in stage.inputs(context) if other in stale), None)
        found = None if cause else _folder(run, stage, context)
        planned = _plan_stage(run, stage, found, before, cause, context)
        if planned.action != "reuse":
            stale[name] = planned.reason
        elif found is not None:
            run.adopt(name, found)
        plans.append(planned)
    return plans


def changes(before: dict[str, Any], after: dict[str, Any], prefix: str = "") -> list[Change]:
    """Settings that differ, by dotted path, sorted."""
    found: list[Change] = []
    for key in sorted(before.keys() | after.keys()):
        old, new, path = before.get(key), after.get(key), f"{prefix}{key}"
        if isinstance(old, dict) and isinstance(new, dict):
            found += changes(old, new, f"{path}.")
        elif old != new:
            found.append(Change(path, old, new))
    return found


def _folder(run: Run, stage: Stage[Any], context: Context) -> StageFolder:
    if not stage.reads and (opened := run.opened(stage.name)):
        return opened
    return locate(context, stage, describe(stage, context)["fingerprint"])


def _plan_stage(
    run: Run,
    stage: Stage[Any],
    folder: StageFolder | None,
    before: Run | None,
    cause: str | None,
    context: Context,
) -> StagePlan:
    if folder is None:
        return StagePlan(stage.name, "run", reason=f"{cause} runs")
    if not folder.exists():
        reason = _reason(stage, before, context)
        return StagePlan(stage.name, "run", reason=reason)
    shards = folder.shards
    rows = sum(shard["rows"] for shard in shards) or None
    if total := folder.summary():
        return StagePlan(stage.name, "reuse", len(shards), total["rows"], len(shards))
    done = len(folder.done_shards())
    action = "continue" if done else "run"
    reason = f"{len(shards) - done} of {len(shards)} shards are left"
    return StagePlan(stage.name, action, len(shards), rows, done, reason)


def _reason(stage: Stage[Any], before: Run | None, context: Context) -> str:
    old = before.opened(stage.name) if before else None
    if old is None:
        return "never run"
    known = load_json(old.path / "stage.json")
    own = own_description(stage, context)
    different = changes({key: known.get(key) for key in own}, own)
    names = [change.setting.removeprefix("settings.") for change in different]
    return f"changed: {', '.join(names)}" if names else "its inputs have changed"
