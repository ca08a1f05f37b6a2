"""The report of a run: full counts, and a seeded sample of records for the gallery."""

from __future__ import annotations

import heapq
from collections import Counter
from datetime import datetime, timezone
from pathlib import Path

import xxhash

from mmi_hpc.data.image_store import ImageStore
from mmi_hpc.data.records import Answer
from mmi_hpc.engine.attempt import failures
from mmi_hpc.engine.context import Context
from mmi_hpc.engine.run import Run
from mmi_hpc.files import point
from mmi_hpc.report.model import Card, FailureExample, FlagCount, FunnelStep, Report
from mmi_hpc.report.page import write
from mmi_hpc.screening import MEANINGS
from mmi_hpc.stages.answer import AnswerPairs
from mmi_hpc.stages.bank import Bank
from mmi_hpc.stages.describe import Describe
from mmi_hpc.stages.embed import Embed, EmbedSettings
from mmi_hpc.stages.export import Export, ExportSettings
from mmi_hpc.stages.ingest import Ingest
from mmi_hpc.stages.match import MatchInstructions
from mmi_hpc.stages.screen import Screen

CARDS = 60
_REASONS = 20
# Rows mean different things along the chain; the page says which.
_ROWS = {
    "ingest": "images that could be read",
    "describe": "images with a description",
    "embed": "images with a vector",
    "propose": "raw instructions",
    "cluster": "clusters of raw instructions",
    "summarise": "final instructions",
    "bank": "different final instructions",
    "candidates": "images with candidates",
    "duplicates": "images that nearly equal an earlier one",
    "balance": "one row for the whole collection",
    "match": "pairs of image and instruction",
    "exemplify": "example answers",
    "answer": "answers",
    "screen": "screened answers",
    "export": "records of the dataset",
}


def dataset(run: Run) -> Path | None:
    """Link the exported folder into the run, and return the path of llava.json below it."""
    folder = run.opened(Export.name)
    if folder is None or folder.summary() is None:
        return None
    link = run.path / "out" / Export.name
    point(link, folder.output_path(0))
    return link / "llava.json"


def write_report(run: Run) -> Path:
    """Write report/index.html of a run, as far as it has got.

    Returns:
        The path of the page.
    """
    path = run.path / "report" / "index.html"
    path.parent.mkdir(exist_ok=True)
    write(_report(run), path)
    return path


def _report(run: Run) -> Report:
    context = Context(run)
    complete = [name for name in run.stages if (folder := run.opened(name)) and folder.summary()]
    flags: tuple[FlagCount, ...] = ()
    cards: tuple[Card, ...] = ()
    if Screen.name in complete:
        flags = _flags(context)
        cards = _cards(context, exported=Export.name in complete)
    return Report(
        title=f"Instruction data: {run.name}",
        run_name=run.path.name,
        created=_finished(context, complete),
        summary=_summary(context, complete),
        funnel=tuple(_funnel_step(context, name) for name in complete),
        flags=flags,
        cards=cards,
        total_records=context.count(AnswerPairs.name) if AnswerPairs.name in complete else 0,
        failures=_failures(context, complete),
    )


def _funnel_step(context: Context, name: str) -> FunnelStep:
    total = context.folder(name).summary() or {}
    note = _ROWS.get(name, "")
    if total["left_out"]:
        note += f"; {total['left_out']:,} left out by a rule"
    return FunnelStep(name, total["rows"], total["failures"], total["seconds"], note)


def _summary(context: Context, complete: list[str]) -> tuple[tuple[str, str], ...]:
    rows = []
    for stage, label in (
        (Ingest.name, "Images"),
        (Bank.name, "Instructions in the bank"),
        (AnswerPairs.name, "Answers"),
        (Export.name, "Records exported"),
    ):
        if stage in complete:
            rows.append((label, f"{context.count(stage):,}"))
    if Embed.name in complete:
        embed = context.settings(EmbedSettings)
        rows.append(("Matched by", f"{embed.encoder.model} on the {embed.input}"))
    return tuple(rows)


def _finished(context: Context, complete: list[str]) -> str:
    times = [(context.folder(name).summary() or {}).get("finished", 0.0) for name in complete]
    if not times:
        return ""
    return datetime.fromtimestamp(int(max(times)), tz=timezone.utc).isoformat()


def _flags(context: Context) -> tuple[FlagCount, ...]:
    counts: Counter[str] = Counter()
    first: dict[str, str] = {}
    for row in context.all_rows(Screen):
        for flag in row.flags:
            counts[flag] += 1
            first.setdefault(flag, row.id)
    excluded = context.settings(ExportSettings).exclude
    return tuple(
        FlagCount(flag, counts[flag], flag in excluded, meaning, first.get(flag))
        for flag, meaning in MEANINGS.items()
    )


def _cards(context: Context, *, exported: bool) -> tuple[Card, ...]:
    sample = _sample(context)
    bank = {entry.instruction.id: entry.instruction.text for entry in context.rows(Bank, 0)}
    left_out = set(_left_out(context)) if exported else set()
    shards = [context.path(Ingest, shard) for shard in range(len(context.shards(Ingest.name)))]
    store = ImageStore(shards)
    cards = []
    for shard in sorted({shard for shard, _ in sample}):
        answers = [answer for number, answer in sample if number == shard]
        descriptions = {row.id: row.text for row in context.rows(Describe, shard)}
        screenings = {row.id: row for row in context.rows(Screen, shard)}
        matches = {row.id: row for row in context.rows(MatchInstructions, shard)}
        for answer in answers:
            record = store.record(shard, answer.image_id)
            match = matches[answer.id]
            cards.append(
                Card(
                    record_id=answer.id,
                    image=store.data(shard, answer.image_id) or None,
                    image_name=record.name,
                    alt_text=record.alt_text,
                    description=descriptions[answer.image_id],
                    instruction=bank[answer.instruction_id],
                    answer=answer.text,
                    flags=screenings[answer.id].flags,
                    exported=exported and answer.id not in left_out,
                    provenance=(
                        ("engine", answer.engine),
                        ("model", answer.model),
                        ("cosine", f"{match.cosine:.3f}"),
                        ("probability", f"{match.weight:.3f}"),
                        ("examples shown", ", ".join(answer.examples) or "none"),
                    ),
                )
            )
    return tuple(cards)


def _sample(context: Context) -> list[tuple[int, Answer]]:
    """At most `CARDS` answers: those whose ids hash lowest, in the order of the source."""

    def numbered() -> list[tuple[int, int, int, Answer]]:
        kept: list[tuple[int, int, int, Answer]] = []
        for shard in range(len(context.shards(AnswerPairs.name))):
            rows = enumerate(context.rows(AnswerPairs, shard))
            keyed = [(_hash(row.id, context.seed), shard, n, row) for n, row in rows]
            kept = heapq.nsmallest(CARDS, kept + keyed, key=lambda item: item[:3])
        return kept

    return [(shard, row) for _, shard, _, row in sorted(numbered(), key=lambda item: item[1:3])]


def _hash(record_id: str, seed: int) -> int:
    return xxhash.xxh3_64_intdigest(record_id.encode(), seed=seed)


def _left_out(context: Context) -> list[str]:
    return [failure.id for failure in failures(context.folder(Export.name))]


def _failures(context: Context, complete: list[str]) -> tuple[FailureExample, ...]:
    found: dict[tuple[str, str], tuple[str, int]] = {}
    for name in complete:
        for failure in failures(context.folder(name)):
            example, count = found.get((name, failure.reason), (failure.id, 0))
            found[name, failure.reason] = (example, count + 1)
    ranked = sorted(found.items(), key=lambda item: -item[1][1])
    return tuple(
        FailureExample(stage, example, reason, count)
        for (stage, reason), (example, count) in ranked[:_REASONS]
    )
