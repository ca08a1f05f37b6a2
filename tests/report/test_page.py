"""The page says what the report holds, needs nothing but itself, and no text can break out."""

from __future__ import annotations

import base64
import hashlib
import os
import re
from collections.abc import Callable
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from mmi_hpc.report import FlagCount, FunnelStep, Report, render, write

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</style></title></script><svg/onload=alert(1)>",
    "<!-- <![CDATA[ ]]> --> &lt;b&gt; &amp; &#60;",
    "{{ 7 * 7 }}{% raw %}${x}`",
    "http://example.org/x.png //example.org url(x) @import",
    "\x00\x1b[31m\ud800\u202e\u2028 \r\n bell\x07",
    "javascript:alert(1)",
)
ATTRIBUTES_THAT_LOAD = {
    "action",
    "background",
    "cite",
    "data",
    "formaction",
    "href",
    "longdesc",
    "ping",
    "poster",
    "src",
    "srcdoc",
    "srcset",
    "xlink:href",
}


class Reader(HTMLParser):
    """Collects the tags, the attributes and the text of a page."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text: list[str] = []
        self.misnested: list[str] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.open.pop() != tag:
            self.misnested.append(tag)

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] not in ("style", "script"):
            self.text.append(data)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    @property
    def structure(self) -> list[tuple[str, tuple[str, ...]]]:
        return [(tag, tuple(sorted(attributes))) for tag, attributes in self.tags]

    def named(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def words(page: str) -> str:
    return " ".join("".join(Reader(page).text).split())


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_in_every_field_adds_no_tag_and_no_attribute(
    text: str, filled: Callable[..., Report]
) -> None:
    harmless, hostile = Reader(render(filled("plain words"))), Reader(render(filled(text)))
    assert hostile.structure == harmless.structure
    assert hostile.misnested == []
    assert hostile.open == []
    assert hostile.comments == []


@pytest.mark.parametrize("text", HOSTILE[:7])
def test_hostile_text_is_shown_as_it_is(text: str, filled: Callable[..., Report]) -> None:
    page = render(filled(text))
    # title, run, time, tile x 2, funnel x 4, flag x 5, failure x 3 and more than 8 a card
    assert words(page).count(text) > 40
    (picture,) = Reader(page).named("img")
    assert picture["alt"] == text


def test_text_that_html_and_utf8_cannot_hold_is_replaced(filled: Callable[..., Report]) -> None:
    page = render(filled("a\x00b\ud800c"))
    page.encode("utf-8")
    assert "a\ufffdb\ufffdc" in page
    assert "\x00" not in page


@pytest.mark.parametrize("text", ["plain words", *HOSTILE])
def test_nothing_is_loaded_from_anywhere(text: str, filled: Callable[..., Report]) -> None:
    reader = Reader(render(filled(text)))
    for tag, attributes in reader.tags:
        for name in ATTRIBUTES_THAT_LOAD & attributes.keys():
            assert (attributes[name] or "").startswith(("data:", "#")), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert re.fullmatch(r"(width:[\d.]+%)?", attributes.get("style") or "")


def test_a_harmless_page_names_no_address_at_all(report: Report) -> None:
    page = re.sub(r"(base64,|sha256-)[A-Za-z0-9+/=]+", "", render(report))
    for trace in (
        "http:",
        "https:",
        "//",
        "url(",
        "@import",
        "@font-face",
        "fetch(",
        "XMLHttp",
        "innerHTML",
    ):
        assert trace not in page


def test_the_policy_allows_the_one_script_and_nothing_else(report: Report) -> None:
    page = render(report)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = next(
        meta["content"]
        for meta in Reader(page).named("meta")
        if meta.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy == (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )


def test_the_policy_comes_before_anything_it_governs(report: Report) -> None:
    page = render(report)
    assert page.startswith("<!DOCTYPE html>")
    assert page.index("Content-Security-Policy") < min(page.index("<style"), page.index("<link"))


def test_a_sample_says_how_much_it_leaves_out(report: Report) -> None:
    assert "Showing 3 of 12,345 records." in words(render(report))


def test_one_record_is_singular(filled: Callable[..., Report]) -> None:
    page = render(replace(filled("x", cards=1), total_records=1))
    assert "Showing 1 of 1 record." in words(page)


def test_the_funnel_draws_what_was_written_and_what_failed(report: Report) -> None:
    steps = (FunnelStep("ingest", 1500, 500, 3725.0, ""), FunnelStep("answer", 400, 0, None, ""))
    page = render(replace(report, funnel=steps))
    assert "ingest 1,500 written 500 failed 1 h 02 min answer 400 written none failed" in words(
        page
    )
    assert re.findall(r"width:([\d.]+)%", page) == ["75.000", "25.000", "20.000"]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0.0 s"), (59.94, "59.9 s"), (59.96, "1 min 00 s"), (3599.6, "1 h 00 min")],
)
def test_times_are_given_in_the_units_that_matter(
    seconds: float, shown: str, report: Report
) -> None:
    page = render(replace(report, funnel=(FunnelStep("s", 1, 0, seconds, ""),)))
    assert f"none failed {shown}" in words(page)


@pytest.mark.parametrize(
    ("count", "total", "share"),
    [(0, 10, "0.0 %"), (1, 10_000, "< 0.1 %"), (9999, 10_000, "> 99.9 %"), (5, 5, "100.0 %")],
)
def test_a_rare_flag_never_reads_as_none(
    count: int, total: int, share: str, report: Report
) -> None:
    rule = FlagCount("rule", count, False, "", None)
    page = render(replace(report, flags=(rule,), total_records=total))
    assert f"rule {count:,} {share} kept" in words(page)


def test_an_example_is_a_link_only_if_its_card_is_there(report: Report) -> None:
    here = FlagCount("here", 1, True, "", report.cards[2].record_id)
    elsewhere = FlagCount("elsewhere", 1, True, "", "another record")
    page = render(replace(report, flags=(here, elsewhere)))
    links = [a["href"] for a in Reader(page).named("a") if "#card-" in (a["href"] or "")]
    assert links == ["#card-3"]
    assert 'id="card-3"' in page


def test_every_flag_of_a_card_can_be_filtered_for(report: Report) -> None:
    cards = (replace(report.cards[0], flags=("rule", "only on a card"), exported=False),)
    rules = (FlagCount("unseen", 3, True, "", None), FlagCount("rule", 3, True, "", None))
    page = render(replace(report, cards=cards, flags=rules))
    assert "unseen (0) rule (1) only on a card (1)" in words(page)
    (card,) = Reader(page).named("article")
    assert (card["data-groups"] or "").split() == ["out", "flag-1", "flag-2"]


def test_an_image_that_is_absent_or_broken_is_said_to_be(report: Report) -> None:
    page = render(report)
    assert len(Reader(page).named("img")) == 1
    assert "This record has no image." in page
    assert "The image cannot be read." in page


def test_light_markdown_is_drawn_and_html_in_it_is_not(report: Report) -> None:
    answer = "# A <b>title</b>\n- one **two <i>x</i>**\n3. three\n\nfour\n  five"
    page = render(replace(report, cards=(replace(report.cards[1], answer=answer),)))
    assert '<p class="heading" dir="auto">A &lt;b&gt;title&lt;/b&gt;</p>' in page
    assert "<li>one <strong>two &lt;i&gt;x&lt;/i&gt;</strong></li>" in page
    assert '<li value="3">three</li>' in page
    assert '<p class="text" dir="auto">four\n  five</p>' in page


def test_a_long_answer_is_folded_but_complete(report: Report) -> None:
    answer = " ".join(f"word{n}" for n in range(400))
    page = render(replace(report, cards=(replace(report.cards[1], answer=answer),)))
    assert answer in page
    assert f"Show all {len(answer):,} characters" in page
    assert "Show all" not in words(render(report)).replace("Show all</button>", "").split("Made")[1]


def test_an_empty_report_says_so() -> None:
    text = words(render(Report("t", "r", "", (), (), (), (), 0, ())))
    assert "No stage has written anything yet." in text
    assert "No screening rule was run." in text
    assert "No record failed." in text
    assert "Showing 0 of 0 records. " in text


def test_ids_are_unique(report: Report) -> None:
    ids = [attributes["id"] for _, attributes in Reader(render(report)).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_equal_reports_give_equal_bytes(report: Report, filled: Callable[..., Report]) -> None:
    assert render(report) == render(filled("plain words"))


def test_the_page_grows_only_with_its_cards(filled: Callable[..., Report]) -> None:
    small, large = (len(render(filled("plain words", cards=n))) for n in (3, 303))
    assert small < 40_000
    assert (large - small) / 300 < 4_000


def test_write_replaces_the_file_and_leaves_nothing_else(tmp_path: Path, report: Report) -> None:
    target = tmp_path / "index.html"
    target.write_text("old")
    write(report, target)
    assert target.read_bytes() == render(report).encode("utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_others_may_read_the_file_as_far_as_the_umask_allows(
    tmp_path: Path, report: Report
) -> None:
    before = os.umask(0o022)
    try:
        write(report, tmp_path / "index.html")
    finally:
        os.umask(before)
    assert (tmp_path / "index.html").stat().st_mode & 0o777 == 0o644


def test_a_write_that_fails_keeps_the_old_file(
    tmp_path: Path, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    target = tmp_path / "index.html"
    target.write_text("old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write(report, target)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["index.html"]


def test_a_missing_folder_is_named(tmp_path: Path, report: Report) -> None:
    with pytest.raises(FileNotFoundError, match=r"the folder .*nowhere does not exist"):
        write(report, tmp_path / "nowhere" / "index.html")
