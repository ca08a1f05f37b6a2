"""The settings that every run has, whatever its stages."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, Field, field_validator

from mmi_hpc.config.settings import Located, Operational, Settings, absolute


class SiteSettings(Settings):
    """How work is done at this site; nothing here changes a result.

    Attributes:
        workers: Worker processes of the local executor.
        beat_seconds: How often a worker shows life.
        stale_seconds: After how long without a sign of life its shards are taken over.
        max_attempts: How many errors one shard may have before the chain stops.
        umask: Permissions that are withheld from new files, octal; 077 keeps runs private.
    """

    workers: int = Field(default=2, ge=1)
    beat_seconds: float = Field(default=5.0, gt=0)
    stale_seconds: float = Field(default=60.0, gt=0)
    max_attempts: int = Field(default=3, ge=1)
    umask: str = Field(default="077", pattern=r"^0?[0-7]{3}$")


class RunSettings(Settings):
    """Name, place, seed and stages of a run.

    Attributes:
        name: Names the run's folder.
        root: Folder of all runs; runs below one root share finished work.
        seed: Seeds every random draw, together with the stage and the record's id.
        shard_rows: Records per shard; any number gives the same result.
        stages: The stages of the recipe, in order.
        site: How work is done here.
    """

    name: str = Field(default="run", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")

    @field_validator("name")
    @classmethod
    def _free(cls, name: str) -> str:
        if name in ("store", "workers"):
            raise ValueError(f"the folder {name!r} is taken by what all runs share")
        return name

    root: Annotated[Path, BeforeValidator(absolute), Operational()] = Path("runs")
    seed: int = Field(default=0, ge=0)
    shard_rows: Annotated[int, Field(ge=1), Located()] = 500
    stages: tuple[str, ...] = Field(min_length=1)
    site: Annotated[SiteSettings, Operational()] = SiteSettings()
