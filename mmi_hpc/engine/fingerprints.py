"""Which folder holds a stage's work: named by a fingerprint of everything its rows depend on."""

from __future__ import annotations

from typing import Any

import xxhash

from mmi_hpc.config.settings import scientific
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.contracts import Stage
from mmi_hpc.engine.run import Run
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.files import dump_json


def describe(stage: Stage[Any], context: Context) -> dict[str, Any]:
    """Everything that the rows of a stage depend on, with the fingerprint of it.

    Raises:
        WorkError: A stage that it reads is not complete.
    """
    inputs = {name: input_identity(context, name) for name in stage.inputs(context)}
    description = {**own_description(stage, context), "inputs": inputs}
    fingerprint = xxhash.xxh3_128_hexdigest(dump_json(description))[:16]
    return {**description, "fingerprint": fingerprint}


def own_description(stage: Stage[Any], context: Context) -> dict[str, Any]:
    """The part of the description that is known before the earlier stages are done."""
    settings: dict[str, Any] = {}
    for use in stage.settings:
        values = scientific(context.settings(use.section))
        kept = {name: values[name] for name in use.fields} if use.fields else values
        settings.setdefault(use.section.section, {}).update(kept)
    if stage.seeded:
        settings["seed"] = context.seed
    return {
        "stage": stage.name,
        "version": stage.version,
        "settings": settings,
        "identity": stage.identity(context),
    }


def input_identity(context: Context, name: str) -> str:
    """What a later stage depends on: the rows, and how they came about unless rows say it all."""
    folder = context.folder(name)
    summary = folder.summary()
    assert summary is not None
    rows = f"{summary['rows']}:{summary['digest']}"
    by_content = context.run.load_class(name).by_content
    return rows if by_content else f"{folder.fingerprint}:{rows}"


def open_stage(run: Run, name: str, *, refresh: bool = False) -> StageFolder:
    """The folder of a stage, made with its plan if needed; the run's link leads to it.

    Args:
        run: The run.
        name: The stage.
        refresh: Look at the source of a first stage again, as a launch does. Workers trust the
            link that the launch has made: listing a large source again would take minutes.

    Raises:
        WorkError: A stage that it reads is not complete.
    """
    stage: Stage[Any] = run.load_class(name)()
    known = run.opened(name)
    if known is not None and not stage.reads and not refresh:
        return known
    context = Context(run)
    description = describe(stage, context)
    folder = locate(context, stage, description["fingerprint"])
    if not folder.exists():
        folder.create(description, stage.plan(context))
    run.adopt(name, folder)
    return folder


def locate(context: Context, stage: Stage[Any], fingerprint: str) -> StageFolder:
    """Where the work with this fingerprint lies; how it is cut into shards is part of the name.

    Equal rows may be cut in another way, or come in another order, so that shard 3 holds others.
    """
    cut = f"-{context.cut()}" if stage.inputs(context) else ""
    name = f"{fingerprint}-{context.shard_rows}{cut}"
    return StageFolder(context.run.root / "store" / stage.name / name)
