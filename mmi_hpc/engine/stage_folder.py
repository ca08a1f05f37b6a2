"""The folder of one stage's work: its plan, leases, attempts' outputs, markers and summary.

stage.json            fingerprint and everything that went into it
plan.jsonl            one line a shard
lease/00042.0         who may work on shard 42; a successor creates 00042.1
out/00042.0.jsonl     rows of an attempt; only the one named in the marker counts
failures/00042.0.jsonl  records that gave no row
replies/00042.0.jsonl   recorded replies of a language model
failed/00042.0.json   an attempt that ended with an error (.retried once it may be tried again)
done/00042.json       the marker
summary.json          totals, written when every shard is done
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import xxhash

from mmi_hpc.data.formats import ContentSum
from mmi_hpc.engine.markers import Marker, busy_seconds, read_marker
from mmi_hpc.files import complete_lines, dump_json, load_json, publish

RETRIED = ".retried"
_FOLDERS = ("lease", "out", "failures", "replies", "failed", "done")


@dataclass(frozen=True)
class StageFolder:
    """Paths and small reads and writes below one stage's folder; no knowledge of its rows."""

    path: Path

    def create(self, description: dict[str, Any], plan: Iterable[dict[str, Any]]) -> None:
        """Make the folder with its plan; harmless when several workers do it at once."""
        for name in _FOLDERS:
            (self.path / name).mkdir(parents=True, exist_ok=True)
        publish(self.path / "plan.jsonl", b"".join(map(dump_json, plan)))
        publish(self.path / "stage.json", dump_json(description))

    def exists(self) -> bool:
        """True once plan and description are there."""
        return (self.path / "stage.json").exists()

    @cached_property
    def shards(self) -> list[dict[str, Any]]:
        """The plan."""
        return [orjson.loads(line) for line in complete_lines(self.path / "plan.jsonl")]

    @cached_property
    def fingerprint(self) -> str:
        """The stage's fingerprint."""
        return str(load_json(self.path / "stage.json")["fingerprint"])

    def marker_path(self, shard: int) -> Path:
        """Where the marker of a shard is, or will be."""
        return self.path / "done" / f"{shard:05d}.json"

    def is_done(self, shard: int) -> bool:
        """Whether a shard has its marker."""
        return self.marker_path(shard).exists()

    def marker(self, shard: int) -> Marker:
        """The marker of a finished shard."""
        return read_marker(self.marker_path(shard))

    def done_shards(self) -> set[int]:
        """Numbers of all shards that have a marker."""
        return {int(name[:-5]) for name in self._names("done") if name.endswith(".json")}

    def failed_attempts(self) -> dict[int, int]:
        """Per shard, how many attempts have ended with an error."""
        counts: dict[int, int] = {}
        for name in self._names("failed"):
            if name.endswith(".json"):
                shard = int(name.split(".")[0])
                counts[shard] = counts.get(shard, 0) + 1
        return counts

    def is_over(self, shard: int, attempt: int) -> bool:
        """Whether an attempt has ended for good: with an error, or set aside by `retry`."""
        return any(
            self.attempt_path("failed", shard, attempt, suffix).exists()
            for suffix in (".json", RETRIED)
        )

    def last_error(self, shard: int) -> str:
        """The sentence of a shard's latest error."""
        names = [name for name in self._names("failed") if name.startswith(f"{shard:05d}.")]
        names = [name for name in names if name.endswith(".json")]
        latest = max(names, key=lambda name: int(name.split(".")[1]))
        return str(load_json(self.path / "failed" / latest)["error"])

    def attempt_path(self, kind: str, shard: int, attempt: int, suffix: str) -> Path:
        """A file that only this attempt writes."""
        return self.path / kind / f"{shard:05d}.{attempt}{suffix}"

    def output_path(self, shard: int) -> Path:
        """The rows of a finished shard."""
        return self.path / self.marker(shard).output.path

    def replies(self, shard: int) -> list[Path]:
        """The reply segments of all attempts on a shard, oldest first."""
        names = [name for name in self._names("replies") if name.startswith(f"{shard:05d}.")]
        names.sort(key=lambda name: int(name.split(".")[1]))
        return [self.path / "replies" / name for name in names]

    @property
    def summary_path(self) -> Path:
        """Where the totals are, once every shard is done."""
        return self.path / "summary.json"

    def summary(self) -> dict[str, Any] | None:
        """The totals, or None while work is left."""
        if "_summary" not in self.__dict__ and self.summary_path.exists():
            self.__dict__["_summary"] = load_json(self.summary_path)
        found: dict[str, Any] | None = self.__dict__.get("_summary")
        return found

    def summarise(self) -> dict[str, Any] | None:
        """Write the totals when every shard is done; returns None otherwise."""
        if found := self.summary():
            return found
        shards = range(len(self.shards))
        if not self.done_shards().issuperset(shards):
            return None
        markers = [self.marker(shard) for shard in shards]
        content = sum((marker.output.content for marker in markers), ContentSum())
        publish(self.summary_path, dump_json(_totals(markers, content)))
        return self.summary()

    def _names(self, kind: str) -> list[str]:
        try:
            return [name for name in os.listdir(self.path / kind) if name[0] != "."]
        except FileNotFoundError:
            return []


def _totals(markers: list[Marker], content: ContentSum) -> dict[str, Any]:
    hosts = sorted({marker.environment["machine"] for marker in markers})
    return {
        "shards": len(markers),
        "rows": content.count,
        "digest": content.digest,
        "cut": xxhash.xxh3_64_hexdigest("".join(m.output.digest for m in markers).encode())[:8],
        "failures": sum(marker.failed for marker in markers),
        "left_out": sum(marker.left_out for marker in markers),
        "bytes": sum(marker.output.size for marker in markers),
        "seconds": round(sum(marker.seconds for marker in markers), 3),
        "busy": round(busy_seconds([(m.started, m.started + m.seconds) for m in markers]), 3),
        "finished": max((marker.started + marker.seconds for marker in markers), default=0.0),
        "machines": hosts,
    }
