"""Draws a `Report` as one HTML file that needs nothing but itself.

Three files beside this one make the page: `report.html.jinja` (structure), `report.css` (look) and
`report.js` (search and filter). Only the last two enter the page unescaped; the content security
policy of the page names the hash of that one script, so that no other script can run.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import os
import secrets
from collections import Counter
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from mmi_hpc.report.markup import blocks, clean
from mmi_hpc.report.model import Report
from mmi_hpc.report.thumbnails import thumbnail

# Longer answers are folded on the screen, behind a switch that says how long they are.
FOLD_CHARACTERS = 700

_HERE = Path(__file__).parent


def render(report: Report) -> str:
    """Draws the page.

    Args:
        report: What to show. Every text in it may be hostile.

    Returns:
        A complete HTML document, equal for equal reports (given one version of Pillow).
    """
    script = _asset("report.js")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            report=report,
            rules=_rules(report),
            flagged=Counter(rule for card in report.cards for rule in set(card.flags)),
            widest=max((step.records + step.failed for step in report.funnel), default=0),
            card_numbers={card.record_id: n for n, card in enumerate(report.cards, start=1)},
            style=_asset("report.css"),
            script=script,
            script_hash=_sha256(script),
            fold_characters=FOLD_CHARACTERS,
        )
    )


def write(report: Report, path: Path) -> None:
    """Writes the page in one step: readers see the old file or the whole new one.

    Args:
        report: What to show.
        path: The file to write or replace; its folder must exist.

    Raises:
        FileNotFoundError: The folder does not exist.
        OSError: The folder cannot be written or the disk is full; the old file stays.
    """
    if not path.parent.is_dir():
        raise FileNotFoundError(
            f"The report cannot be written to {path}: the folder {path.parent} does not exist. "
            "Create it or choose another path."
        )
    page = render(report).encode("utf-8")
    # A name of our own and not tempfile's, whose mode 0600 would lock out readers of a file share.
    temporary = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        with temporary.open("xb") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_printable,
    )
    environment.filters.update(
        blocks=blocks, thumbnail=thumbnail, number=_number, duration=_duration, percent=_percent
    )
    return environment


def _printable(value: object) -> object:
    """Cleans what an expression of the template yields; escaping follows after this."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _asset(name: str) -> Markup:
    """Reads a file of this package, which may enter the page as it is."""
    return Markup((_HERE / name).read_text(encoding="utf-8"))


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")


def _rules(report: Report) -> dict[str, int]:
    """Numbers every rule: those of the table first, then others that only cards carry.

    The page refers to rules by number, because a rule's name is text that may hold anything.
    """
    names = [flag.rule for flag in report.flags]
    names += [rule for card in report.cards for rule in card.flags]
    return {name: number for number, name in enumerate(dict.fromkeys(names))}


def _number(value: int) -> str:
    return f"{value:,}"


def _percent(part: int, whole: int) -> str:
    """Writes a share in percent; small shares never read as zero, nor large ones as all."""
    if whole <= 0:
        return ""
    share = 100.0 * part / whole
    if 0 < share < 0.1:
        return "< 0.1 %"
    if 99.9 < share < 100:
        return "> 99.9 %"
    return f"{share:.1f} %"


def _duration(seconds: float) -> str:
    """Writes a time in the two units that matter."""
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours:,} h {minutes:02d} min"
