"""The page works in a real browser: its script runs, filters, and no other script does."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from html import escape
from pathlib import Path

import pytest

from mmi_hpc.report import Report, render

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser"))), None)
POLICY = re.compile(r'<meta http-equiv="Content-Security-Policy"[^>]*>')

pytestmark = pytest.mark.skipif(
    CHROMIUM is None,
    reason="Chromium is not installed, so the page was not opened in a browser: make system-deps",
)


@pytest.fixture
def browse(tmp_path: Path) -> Callable[..., str]:
    """Returns a function that loads a page and gives its document as it stands afterwards."""

    def load(page: str, width: int = 1280, fragment: str = "") -> str:
        path = tmp_path / "page.html"
        path.write_text(page, encoding="utf-8")
        assert CHROMIUM is not None
        command = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={tmp_path / 'profile'}",
            f"--window-size={width},1000",
            "--virtual-time-budget=2000",
            "--dump-dom",
            path.as_uri() + fragment,
        ]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
        return done.stdout

    return load


def with_visitor(page: str, script: str) -> str:
    """Adds a script that acts as a visitor would; the policy must go, or it would not run."""
    assert POLICY.search(page)
    return POLICY.sub("", page).replace("</body>", f"<script>{script}</script></body>")


def shown(document: str) -> list[str]:
    articles = re.findall(r'<article ([^>]*id="card-(\d+)"[^>]*)>', document)
    return [number for attributes, number in articles if 'hidden=""' not in attributes]


def status(document: str) -> str:
    match = re.search(r'id="showing"[^>]*>([^<]*)<', document)
    assert match
    return match[1]


def test_the_script_runs_under_the_policy(report: Report, browse: Callable[..., str]) -> None:
    document = browse(render(report))
    assert 'data-ready="1"' in document
    assert '<div id="filters" role="search">' in document
    assert shown(document) == ["1", "2", "3"]
    assert status(document) == "Showing 3 of 12,345 records."


def test_no_other_script_runs(report: Report, browse: Callable[..., str]) -> None:
    intruder = (
        "<script>document.body.dataset.intruder = 1</script>"
        "<img src='data:,' onerror='document.body.dataset.intruder = 2'>"
    )
    document = browse(render(report).replace("</body>", intruder + "</body>"))
    assert 'data-ready="1"' in document
    assert "data-intruder=" not in document


def test_words_and_flags_narrow_the_gallery(
    filled: Callable[..., Report], browse: Callable[..., str]
) -> None:
    report = filled("plain words", cards=5)
    cards = tuple(
        replace(card, answer=f"Answer {'BLUE' if n % 2 == 0 else 'red'} sky {n}")
        for n, card in enumerate(report.cards)
    )
    page = render(replace(report, cards=cards))
    search = "query.value = 'sky blue'; query.dispatchEvent(new Event('input'));"
    choose = "group.value = '{}'; group.dispatchEvent(new Event('change'));"

    found = browse(with_visitor(page, search))
    assert shown(found) == ["1", "3", "5"]
    assert status(found) == "Showing 3 of the 5 records in this file (12,345 in all)."

    assert shown(browse(with_visitor(page, choose.format("plain")))) == ["2", "4"]
    assert shown(browse(with_visitor(page, choose.format("flag-0")))) == ["1", "3", "5"]
    neither = browse(with_visitor(page, search + choose.format("plain")))
    assert shown(neither) == []
    assert re.search(r'id="nothing">', neither)
    cleared = browse(with_visitor(page, search + "reset.click();"))
    assert len(shown(cleared)) == 5


def test_a_link_to_a_hidden_card_brings_it_back(report: Report, browse: Callable[..., str]) -> None:
    visit = "query.value = 'no such word'; query.dispatchEvent(new Event('input'));"
    assert shown(browse(with_visitor(render(report), visit))) == []
    follow = visit + "document.querySelector('a[href=\"#card-1\"]').click();"
    assert shown(browse(with_visitor(render(report), follow))) == ["1", "2", "3"]


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_no_text_makes_the_page_wider_than_the_window(
    width: int, filled: Callable[..., Report], browse: Callable[..., str]
) -> None:
    # A frame, because a browser window cannot be as narrow as a phone.
    frame = f'<iframe style="border: 0; width: {width}px; height: 900px" srcdoc="{{}}"></iframe>'
    measure = """<script>onload = () => {
        const root = document.querySelector("iframe").contentDocument.documentElement;
        document.body.dataset.width = root.clientWidth;
        document.body.dataset.content = root.scrollWidth;
    };</script>"""
    page = render(filled("unbroken" * 60))
    document = browse(f"<body>{frame.format(escape(page))}{measure}</body>", width=2000)
    seen = re.search(r'<body data-width="(\d+)" data-content="(\d+)"', document)
    assert seen
    assert width - 20 <= int(seen[1]) <= width  # a scroll bar may take its part
    assert seen[2] == seen[1]
