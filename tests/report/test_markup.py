"""Light Markdown becomes blocks of plain text, and no character of an answer gets lost."""

from __future__ import annotations

import pytest

from mmi_hpc.report.markup import Block, Line, Span, blocks, clean, spans


def _plain(*texts: str) -> tuple[Line, ...]:
    return tuple(Line((Span(text, False),) if text else ()) for text in texts)


def test_text_without_markdown_is_one_block_with_its_line_breaks() -> None:
    assert blocks("one\n\n  two") == (Block("text", _plain("one", "", "  two")),)


def test_an_answer_falls_into_headings_lists_and_paragraphs() -> None:
    found = blocks("# Title\n\nIntro\n- a\n* b\n2. c\n10) d\nend\n")
    assert [block.kind for block in found] == ["heading", "text", "bullets", "numbers", "text"]
    assert found[1].lines == _plain("Intro")
    assert found[2].lines == _plain("a", "b")
    assert [line.number for line in found[3].lines] == [2, 10]


@pytest.mark.parametrize(
    "line", ["#hashtag", "-5 degrees", "1.5 metres", "- ", "#", "2024. A year"]
)
def test_what_only_resembles_markdown_stays_as_it_is(line: str) -> None:
    (block,) = blocks("x\n" + line)
    assert block.kind == "text"
    assert block.lines[1] == _plain(line)[0]


def test_fenced_code_is_left_alone() -> None:
    code, end = blocks("```python\n# no heading\n- no bullet\n**no bold**\n```\n- a bullet")
    assert code.kind == "code"
    assert code.lines == _plain("```python", "# no heading", "- no bullet", "**no bold**", "```")
    assert end.kind == "bullets"


def test_a_fence_that_never_closes_does_not_swallow_the_answer() -> None:
    assert [block.kind for block in blocks("```\n# Title")] == ["text", "heading"]


def test_double_asterisks_make_strong_text() -> None:
    assert spans("a **b c** d") == (Span("a ", False), Span("b c", True), Span(" d", False))
    assert spans("**b**") == (Span("b", True),)
    assert spans("这是 **重点**。")[1] == Span("重点", True)


@pytest.mark.parametrize(
    "line", ["2**3", "2**3 + 4**5", "** a **", "****", "**open", "a ** b ** c"]
)
def test_asterisks_that_are_not_markup_are_shown(line: str) -> None:
    assert spans(line) == (Span(line, False),)


@pytest.mark.parametrize("text", ["", "\n\n", "\r\n"])
def test_an_empty_answer_has_no_blocks(text: str) -> None:
    assert blocks(text) == ()


def test_clean_keeps_tabs_and_line_feeds_and_marks_what_html_cannot_hold() -> None:
    assert clean("a\tb\r\nc\rd\n") == "a\tb\nc\nd\n"
    assert clean("\x00\x1b\x85\ud800") == "\ufffd" * 4
