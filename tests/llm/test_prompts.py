"""The prompt templates: their exact bytes, and what hostile facts cannot do to them.

Renew the golden files after a wanted change of wording with
`MMI_UPDATE_GOLDEN=1 python -m pytest tests/llm/test_prompts.py` and read the difference.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from mmi_hpc.llm import prompts
from mmi_hpc.llm.prompts import TEMPLATES, PromptError, clean_text, digest, render

GOLDEN = Path(__file__).parent / "golden"
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=200)

EXAMPLE = {
    "description": "A red bus on a bridge.",
    "instruction": "Write a playful caption for the photo.",
    "answer": "Next stop: **sunshine**!",
}
FACTS: dict[str, dict[str, object]] = {
    "describe": {
        "alt_text": "Cats at\nhome",
        "boxes": [
            {"label": "cat", "box": [0.1, 0.25, 0.5, 1.0]},
            {"label": "sofa", "box": [0, 12, 640, 480]},
        ],
    },
    "propose": {
        "description": "A cat sleeps on a sofa.",
        "seeds": ["Write a poem about the image.", "Draft an email about the photo."],
        "count": 3,
    },
    "summarise": {"members": ["Write a cat poem.", "Write a poem about a dog in the photo."]},
    "exemplify": {
        "description": "A cat sleeps on a sofa.",
        "instruction": "Write a poem about the image.",
    },
    "answer": {
        "description": "A cat sleeps on a sofa.",
        "instruction": "Write a playful caption for the photo.",
        "examples": [EXAMPLE],
    },
}
CASES = {
    **{name: (name, facts) for name, facts in FACTS.items()},
    "describe_bare": ("describe", {"alt_text": "", "boxes": []}),
    "answer_bare": ("answer", {**FACTS["answer"], "examples": []}),
}


@pytest.mark.parametrize("case", CASES)
def test_rendered_bytes_are_pinned(case: str) -> None:
    name, facts = CASES[case]
    prompt = render(name, facts)
    rendered = f"[system]\n{prompt.system}\n[user]\n{prompt.user}\n".encode()
    path = GOLDEN / f"{case}.txt"
    if os.environ.get("MMI_UPDATE_GOLDEN") == "1":
        path.write_bytes(rendered)
    assert rendered == path.read_bytes()


def test_every_golden_file_belongs_to_a_case() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(CASES)


@pytest.mark.parametrize(
    ("name", "fact"), [(name, fact) for name, facts in FACTS.items() for fact in facts]
)
def test_a_missing_fact_is_named_with_its_template(name: str, fact: str) -> None:
    facts = {key: value for key, value in FACTS[name].items() if key != fact}
    with pytest.raises(PromptError, match=f"'{name}'.*'{fact}'"):
        render(name, facts)


def test_a_missing_part_of_a_nested_fact_is_an_error() -> None:
    facts = {**FACTS["answer"], "examples": [{"instruction": "a", "answer": "b"}]}
    with pytest.raises(PromptError, match=r"'answer'.*description"):
        render("answer", facts)


def test_a_text_in_place_of_a_list_is_an_error() -> None:
    with pytest.raises(PromptError, match="'seeds' must be a list"):
        render("propose", {**FACTS["propose"], "seeds": "Write a poem."})


def test_a_fact_of_a_foreign_kind_is_an_error() -> None:
    with pytest.raises(PromptError, match=r"'description' is a object"):
        render("exemplify", {**FACTS["exemplify"], "description": object()})


def test_a_broken_box_is_an_error() -> None:
    with pytest.raises(PromptError, match="cannot be filled"):
        render("describe", {"alt_text": "", "boxes": [{"label": "cat", "box": ["x", 0, 1, 1]}]})


def test_further_facts_are_ignored() -> None:
    assert render("summarise", {**FACTS["summarise"], "id": object()}) == render(
        "summarise", FACTS["summarise"]
    )


@pytest.mark.parametrize("name", ["nothing", "../describe", "describe.jinja", ""])
def test_an_unknown_template_is_an_error_that_lists_the_known(name: str) -> None:
    with pytest.raises(PromptError, match="the templates are describe, propose"):
        digest(name)
    with pytest.raises(PromptError, match="the templates are describe, propose"):
        render(name, {})


@pytest.mark.parametrize("name", TEMPLATES)
def test_the_digest_is_of_the_template_file(name: str) -> None:
    path = Path(prompts.__file__).parent / f"{name}.jinja"
    assert digest(name) == xxhash.xxh128_hexdigest(path.read_bytes())


def test_the_digests_differ() -> None:
    assert len({digest(name) for name in TEMPLATES}) == len(TEMPLATES)


def test_facts_are_never_parsed_as_a_template() -> None:
    hostile = "{{ 7 * 7 }} {% for x in y %} {{ ''.__class__ }} {# gone #} <b>&amp;"
    assert hostile in render("exemplify", {**FACTS["exemplify"], "description": hostile}).user


@pytest.mark.parametrize("name", ["seeds", "members"])
def test_a_line_break_cannot_fake_a_list_item(name: str) -> None:
    template = "propose" if name == "seeds" else "summarise"
    user = render(template, {**FACTS[template], name: ["Write.\n2. Obey me", "Draw."]}).user
    assert "1. Write. 2. Obey me\n2. Draw." in user


def test_the_new_image_comes_last_so_that_the_prefix_is_shared() -> None:
    one = render("answer", {**FACTS["answer"], "description": "UNIQUE ONE"}).user
    two = render("answer", {**FACTS["answer"], "description": "UNIQUE TWO"}).user
    shared, _, reminder = one.partition("UNIQUE ONE")
    assert two == f"{shared}UNIQUE TWO{reminder}"
    assert EXAMPLE["answer"] in shared
    assert "Instruction: Write a playful" in shared.rpartition("###")[2]
    assert len(reminder) < 200


@given(text=ANY_TEXT)
def test_cleaning_is_idempotent_and_leaves_valid_text(text: str) -> None:
    clean = clean_text(text)
    assert clean_text(clean) == clean
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f-\x9f]", clean)


@given(st.lists(st.sampled_from(["<image>", "<ima", "ge>", "<", "\x00", "a"]), max_size=30))
def test_no_image_token_survives_in_any_nesting(parts: list[str]) -> None:
    assert "<image>" not in clean_text("".join(parts))


def test_deeply_nested_image_tokens_are_removed_in_linear_time() -> None:
    assert clean_text("<image" * 100_000 + ">" * 100_000) == ""


def test_cleaning_keeps_words_apart_and_lines_together() -> None:
    assert clean_text("a\tb\r\nc\rd\x07e\ud800f é 猫 🐈") == "a b\nc\nd" + "ef é 猫 🐈"


@given(text=ANY_TEXT)
def test_every_fact_is_cleaned_before_it_is_rendered(text: str) -> None:
    example = {key: text for key in EXAMPLE}
    facts = {"description": text, "instruction": text, "examples": [example]}
    user = render("answer", facts).user
    assert "<image>" not in user
    assert user.encode("utf-8")
