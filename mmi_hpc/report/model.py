"""What a report shows, as plain frozen records; the caller fills them, the page draws them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class FunnelStep:
    """One stage of the run, in the order of the stages.

    Attributes:
        stage: Name of the stage.
        records: How many records the stage wrote.
        failed: How many records stand in its failure ledger.
        seconds: Worker time in seconds, or None where it was not measured.
        note: One sentence beside the bar, or "".
    """

    stage: str
    records: int
    failed: int
    seconds: float | None
    note: str


@dataclass(frozen=True)
class FlagCount:
    """One screening rule and what it flagged.

    Attributes:
        rule: Name of the rule, the same text that `Card.flags` carries.
        count: How many records of the whole run it flagged.
        excluded: Whether the export leaves out what it flagged.
        meaning: One sentence that says what the rule looks for.
        example_id: A flagged record; it becomes a link if a card shows that record.
    """

    rule: str
    count: int
    excluded: bool
    meaning: str
    example_id: str | None


@dataclass(frozen=True)
class Card:
    """One record of the gallery.

    Attributes:
        record_id: The record's id.
        image: The encoded image as it is stored, or None where there is none.
        image_name: Name of the image in its source.
        alt_text: The text that came with the image, or "".
        description: The description from which the answer was written.
        instruction: The instruction that was matched to the image.
        answer: The generated answer; light Markdown is drawn, HTML stays text.
        flags: Rules that flagged the record.
        exported: Whether the record is in the export.
        provenance: (label, value) pairs: models, prompts, scores.
    """

    record_id: str
    image: bytes | None
    image_name: str
    alt_text: str
    description: str
    instruction: str
    answer: str
    flags: tuple[str, ...]
    exported: bool
    provenance: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class FailureExample:
    """One reason for failures, with one record that shows it.

    Attributes:
        stage: The stage that failed.
        record_id: One record that failed for this reason.
        reason: The reason as the ledger gives it.
        count: How many records failed for it.
    """

    stage: str
    record_id: str
    reason: str
    count: int


@dataclass(frozen=True)
class Report:
    """Everything one page shows.

    Attributes:
        title: Heading of the page.
        run_name: Name of the run.
        created: ISO 8601 time of the run's result, or "". Given, never read from a clock, so that
            equal input gives equal bytes.
        summary: (label, value) pairs for the tiles at the top.
        funnel: Stages from first to last.
        flags: Screening rules, in the order in which they are to be read.
        cards: The records of the gallery, usually a sample.
        total_records: How many records the cards were taken from.
        failures: Reasons for failures.
    """

    title: str
    run_name: str
    created: str
    summary: tuple[tuple[str, str], ...]
    funnel: tuple[FunnelStep, ...]
    flags: tuple[FlagCount, ...]
    cards: tuple[Card, ...]
    total_records: int
    failures: tuple[FailureExample, ...]
