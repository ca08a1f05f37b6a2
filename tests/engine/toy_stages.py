"""Small stages for engine tests: real workers and files, no models, and knobs to be slow."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pydantic import ConfigDict

from mmi_hpc.config.settings import StageSettings
from mmi_hpc.data.formats import JsonLines
from mmi_hpc.data.records import Failure
from mmi_hpc.engine.contracts import MapStage, ReduceStage, Uses
from mmi_hpc.llm.protocol import ChatReply
from mmi_hpc.llm.request_log import RequestLog


@dataclass(frozen=True)
class Number:
    id: str
    value: int

    __pydantic_config__ = ConfigDict(extra="forbid")


class ToySettings(StageSettings):
    section: ClassVar[str] = "toy"
    rows: int = 20
    factor: int = 3
    fail_odd: bool = False


def pause(stage: str, shard: int) -> None:
    """Wait as the test wants it, through the environment: it must not change a fingerprint."""
    time.sleep(float(os.environ.get("TOY_SECONDS", "0")))
    gate = os.environ.get(f"TOY_GATE_{stage.upper()}_{shard}")
    if gate:
        Path(gate + ".reached").touch()
        while not Path(gate).exists():
            time.sleep(0.01)


class Source(MapStage[Number]):
    name = "source"
    version = 1
    settings = (Uses(ToySettings, ("rows",)),)
    by_content = True
    output = JsonLines(Number)

    def plan(self, context):
        rows, step = context.settings(ToySettings).rows, context.shard_rows
        return [{"rows": min(step, rows - s), "start": s} for s in range(0, rows, step)]

    def map(self, shard, context):
        pause(self.name, shard)
        part = context.own_shards()[shard]
        for value in range(part["start"], part["start"] + part["rows"]):
            yield Number(f"n{value}", value)


class Times(MapStage[Number]):
    """Multiplies, through a reply log as language-model stages do it."""

    name = "times"
    version = 1
    settings = (Uses(ToySettings, ("factor", "fail_odd")),)
    seeded = True
    reads = ("source",)
    output = JsonLines(Number)

    def map(self, shard, context):
        settings = context.settings(ToySettings)
        log = RequestLog(context.recorded_replies(), context.reply_segment())
        for row in context.rows(Source, shard):
            if log.get(row.id) is None:
                pause(self.name, shard)
                log.record([(row.id, ChatReply(str(row.value * settings.factor), "stop", "toy"))])
            if os.environ.get("TOY_ERROR_SHARD") == str(shard):
                raise RuntimeError(f"shard {shard} is cursed")
            if settings.fail_odd and row.value % 2:
                yield Failure(row.id, "odd")
            else:
                yield Number(row.id, int(log.get(row.id).text))


class Total(ReduceStage[Number]):
    name = "total"
    version = 1
    reads = ("times",)
    output = JsonLines(Number)

    def reduce(self, shards, context):
        pause(self.name, 0)
        yield Number("total", sum(row.value for s in shards for row in context.rows(Times, s)))


class Negative(ReduceStage[Number]):
    """Finds nothing, which is as good a result as any."""

    name = "negative"
    version = 1
    reads = ("source",)
    may_be_empty = True
    output = JsonLines(Number)

    def reduce(self, shards, context):
        yield from (row for s in shards for row in context.rows(Source, s) if row.value < 0)


class Insistent(Negative):
    """Finds nothing either, and leaves nothing to work on."""

    name = "insistent"
    may_be_empty = False
