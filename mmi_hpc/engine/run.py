"""The run folder: what was asked for, and links to the stage folders that hold the work.

runs/quickstart            -> the newest run of that name
runs/quickstart-1a2b3c4d/  run.json, config.json, stages/<stage> -> store, out/, report/, logs/
runs/store/<stage>/<fingerprint>-<cut>/   shared by every run that needs the same result
runs/workers/              signs of life
"""

from __future__ import annotations

import importlib
import os
import platform
import secrets
import shutil
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import xxhash

from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.errors import ConfigError, site_error
from mmi_hpc.files import dump_json, load_json, point, publish, replace

SCHEMA = 1


@dataclass(frozen=True)
class Run:
    """A run folder and its immutable description."""

    path: Path

    @cached_property
    def description(self) -> dict[str, Any]:
        """run.json: the name, and the stages in order with the class that does each.

        Raises:
            ConfigError: The folder is no run.
        """
        try:
            content = load_json(self.path / "run.json")
        except (FileNotFoundError, NotADirectoryError) as error:
            raise ConfigError(
                f"{self.path} is no run: it has no run.json. "
                "Give a run's folder, for example runs/quickstart."
            ) from error
        except ValueError as error:
            raise ConfigError(f"{error}. The run folder is damaged.") from error
        if content.get("schema") != SCHEMA:
            raise ConfigError(f"{self.path} was made by another version of this program.")
        return dict(content)

    @property
    def name(self) -> str:
        """The run's name, without its digest."""
        return str(self.description["name"])

    @property
    def root(self) -> Path:
        """The folder that holds this run, its siblings and their shared work."""
        return self.path.parent

    @cached_property
    def config(self) -> dict[str, Any]:
        """All settings as plain values; a later launch may have changed operational ones."""
        return dict(load_json(self.path / "config.json"))

    @property
    def stages(self) -> list[str]:
        """The stages in their order."""
        return [name for name, _ in self.description["stages"]]

    def load_class(self, stage: str) -> type[Any]:
        """The class that does a stage, by the import path that the run recorded."""
        try:
            module, _, name = dict(self.description["stages"])[stage].partition(":")
        except KeyError:
            known = ", ".join(self.stages)
            raise ConfigError(f"{self.path} has no stage {stage!r}. It has: {known}.") from None
        found: type[Any] = getattr(importlib.import_module(module), name)
        return found

    @property
    def workers(self) -> Path:
        """Where workers show signs of life."""
        return self.root / "workers"

    @property
    def logs(self) -> Path:
        """Logs of this run's workers."""
        return self.path / "logs"

    def link(self, stage: str) -> Path:
        """The link to a stage's folder; it exists once the stage has been opened."""
        return self.path / "stages" / stage

    def opened(self, stage: str) -> StageFolder | None:
        """The folder of a stage that was opened before, without working out where it should be."""
        link = self.link(stage)
        return StageFolder(Path(os.path.realpath(link))) if link.exists() else None

    def adopt(self, stage: str, folder: StageFolder) -> None:
        """Let this run's link lead to a stage folder."""
        point(self.link(stage), folder.path)


def new_draft(root: Path) -> Run:
    """A run folder's name that nobody looks at; nothing is there yet.

    Plans are worked out on a draft, so that they change nothing that a person or a worker sees.
    """
    return Run(root / f".draft-{secrets.token_hex(6)}")


def fill(drafted: Run, config: dict[str, Any], stages: list[tuple[str, str]]) -> None:
    """Make the folder of a draft; `keep` gives it its own name, `discard` removes it.

    Args:
        drafted: The draft.
        config: Every setting as plain JSON values; must hold `name`.
        stages: (name, "module:Class") in order.

    Raises:
        SiteError: The folder cannot be written.
    """
    description = {"schema": SCHEMA, "name": str(config["name"]), "stages": stages}
    path = drafted.path
    try:
        (path / "logs").mkdir(parents=True)
        publish(path / "run.json", dump_json(description))
        publish(path / "env.json", dump_json(_environment()))
        publish(path / "config.json", dump_json(config))
    except OSError as error:
        if problem := site_error(error, path):
            raise problem from error
        raise


def final_path(drafted: Run, identity: dict[str, Any]) -> Path:
    """The folder that a draft gets: named by its settings and by what its source holds.

    Args:
        drafted: The draft, whose first stage was opened if it has one.
        identity: The settings that tell this run from others of its name.
    """
    first = drafted.opened(drafted.stages[0])
    source = first.fingerprint if first else ""
    digest = xxhash.xxh3_64_hexdigest(dump_json([drafted.description, identity, source]))[:8]
    return drafted.root / f"{drafted.name}-{digest}"


def keep(drafted: Run, identity: dict[str, Any]) -> Run:
    """Turn a draft into the run, or into the same run of before with these operational settings.

    The link with the run's name leads to it from now on.
    """
    path = final_path(drafted, identity)
    run = Run(path)
    try:
        os.rename(drafted.path, path)
    except OSError:
        if not (path / "run.json").exists():
            raise
        replace(path / "config.json", (drafted.path / "config.json").read_bytes())
        for stage in drafted.stages:
            if folder := drafted.opened(stage):
                run.adopt(stage, folder)
        discard(drafted)
    point(run.root / run.name, run.path)
    return run


def discard(drafted: Run) -> None:
    """Remove a draft."""
    shutil.rmtree(drafted.path, ignore_errors=True)


def create(
    root: Path, config: dict[str, Any], identity: dict[str, Any], stages: list[tuple[str, str]]
) -> Run:
    """Make a run, or open the one that exists, without planning it."""
    drafted = new_draft(root)
    fill(drafted, config, stages)
    return keep(drafted, identity)


def find(path: Path) -> Run:
    """The run at `path`, which may be the link with the run's name.

    Raises:
        ConfigError: There is no run.
    """
    run = Run(Path(os.path.realpath(path)))
    _ = run.description
    return run


def _environment() -> dict[str, Any]:
    from mmi_hpc import __version__

    return {
        "mmi_hpc": __version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "slurm_job": os.environ.get("SLURM_JOB_ID", ""),
    }
