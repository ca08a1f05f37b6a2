"""What a stage is: a pure function from shards of earlier stages to rows, with a name and version.

Stages import this module; the engine calls stages only through it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import Format
from mmi_hpc.data.records import Failure

if TYPE_CHECKING:
    from mmi_hpc.engine.context import Context

Row = TypeVar("Row")
Shard = dict[str, Any]


@dataclass(frozen=True)
class Uses:
    """The settings that a stage's rows depend on: a section, or some fields of it."""

    section: type[StageSettings]
    fields: tuple[str, ...] = ()


class Stage(ABC, Generic[Row]):
    """What map and reduce stages have in common.

    Attributes:
        name: Its name in recipes, folders and messages.
        version: Raised whenever equal inputs would give other rows.
        settings: The settings that its rows depend on.
        seeded: True when it draws random numbers, so that the run's seed is such a setting.
        reads: Names of the stages whose output it may read; the first one gives its shards.
        output: How its rows are stored.
        by_content: True when what comes after depends on the rows alone and not on how they
            came about (the same photos from another folder are the same photos).
        may_be_empty: True when no row at all is a result like any other. Elsewhere it stops the
            chain, because nothing is left to work on.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    settings: ClassVar[tuple[Uses, ...]] = ()
    seeded: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ()
    by_content: ClassVar[bool] = False
    may_be_empty: ClassVar[bool] = False
    output: Format[Row]

    def inputs(self, context: Context) -> tuple[str, ...]:
        """The stages that it reads under these settings, all of them among `reads`."""
        return self.reads

    def identity(self, context: Context) -> dict[str, Any]:
        """Anything else that its rows depend on: prompt texts, model files, the inventory."""
        return {}

    def check(self, context: Context) -> None:
        """Look for wrong settings and missing things before anything starts.

        Raises:
            ConfigError: A setting is wrong.
            SiteError: A package or a place is missing.
        """

    def storage(self, context: Context) -> Format[Row]:
        """How the rows of this run are written, where that depends on the run."""
        return self.output

    @abstractmethod
    def plan(self, context: Context) -> list[Shard]:
        """The shards to work on; a pure function of settings and of the stages that it reads."""


class MapStage(Stage[Row]):
    """Works on each shard alone."""

    def plan(self, context: Context) -> list[Shard]:
        """As many shards as the first stage that it reads."""
        return context.shards(self.inputs(context)[0])

    @abstractmethod
    def map(self, shard: int, context: Context) -> Iterator[Row | Failure]:
        """Yield the rows of one shard, and a failure for every record that gives none."""


class ReduceStage(Stage[Row]):
    """One task that streams over all shards of what it reads."""

    def plan(self, context: Context) -> list[Shard]:
        """A single task over everything."""
        return [{"rows": context.count(self.inputs(context)[0])}]

    @abstractmethod
    def reduce(self, shards: range, context: Context) -> Iterator[Row | Failure]:
        """Yield the rows that all shards together give, in an order of their own."""
