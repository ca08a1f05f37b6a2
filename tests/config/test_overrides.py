"""Settings from the command line and from variables."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from mmi_hpc.config.overrides import RESERVED, from_command_line, from_environment, variable
from mmi_hpc.errors import ConfigError

# What a value means, on the command line and in a variable alike.
VALUES: list[tuple[str, Any]] = [
    ("0.7", 0.7),
    ("1e-3", 0.001),
    ("12", 12),
    ("true", True),
    ("null", None),
    ("", ""),
    ("'12'", "12"),
    ('"null"', "null"),
    ("[ingest,describe]", ["ingest", "describe"]),
    ("['a b',c]", ["a b", "c"]),
    ("{kind: folder, path: /data}", {"kind": "folder", "path": "/data"}),
    ("~/photos", "~/photos"),
    ("~", "~"),
    ("/data/my photos/2024", "/data/my photos/2024"),
    ("/data/a=b/c==d", "/data/a=b/c==d"),
    ("/data/#1 best/(x) [y]", "/data/#1 best/(x) [y]"),
    ("/data/a #1/x", "/data/a #1/x"),
    ("/data/a:b", "/data/a:b"),
    ("it's here", "it's here"),
    ("/bilder/größe", "/bilder/größe"),
    ("https://example.org:8000/v1", "https://example.org:8000/v1"),
    ("2024-01-01", "2024-01-01"),
    ("1:30", "1:30"),
    ('"/a,b"', "/a,b"),
    ("@here", "@here"),
    ("!!python/object:os.system x", "!!python/object:os.system x"),
]


@pytest.mark.parametrize(("text", "value"), VALUES, ids=[text for text, _ in VALUES])
def test_a_value_means_the_same_on_the_command_line_and_in_a_variable(
    text: str, value: Any
) -> None:
    assert from_command_line([f"a.b={text}"]) == {"a": {"b": value}}
    assert from_environment({"MMI_A__B": text}) == {"a": {"b": value}}


@given(st.text("/abcXYZ._-~@%#() ", min_size=1, max_size=40).map("/x{}y".format))
def test_any_plain_path_arrives_as_it_was_typed(path: str) -> None:
    assert from_command_line([f"root={path}"]) == {"root": path}


def test_the_last_of_two_equal_keys_wins_and_others_stay() -> None:
    given_twice = ["answer.llm.model=a", "answer.examples=1", "answer.llm.model=b"]
    assert from_command_line(given_twice) == {"answer": {"llm": {"model": "b"}, "examples": 1}}


@pytest.mark.parametrize(
    "argument",
    ["answer", "=3", "a..b=2", "1a=3", "a/b=3", "a@b=3", "a-b=3", "--yes", "a b=3", ".a=1"],
)
def test_what_is_no_setting_is_shown_with_the_form_to_use(argument: str) -> None:
    with pytest.raises(ConfigError, match=r"Write key=value") as caught:
        from_command_line([argument])
    assert repr(argument) in str(caught.value)


@pytest.mark.parametrize("argument", ["+a=1", "++a=1", "~a", "~a=1"])
def test_adding_and_deleting_is_refused(argument: str) -> None:
    with pytest.raises(ConfigError, match=r"without '\+' or '~'"):
        from_command_line([argument])


@pytest.mark.parametrize("value", ["1,2", "/a,b", "range(1,3)", "choice(a,b)", "glob(*)"])
def test_several_values_are_no_single_run(value: str) -> None:
    with pytest.raises(ConfigError, match="lists several values") as caught:
        from_command_line([f"answer.examples={value}"])
    assert "in brackets" in str(caught.value)
    with pytest.raises(ConfigError, match=r"MMI_ANSWER__EXAMPLES=.* lists several values"):
        from_environment({"MMI_ANSWER__EXAMPLES": value})


def test_nothing_can_be_set_below_a_plain_value() -> None:
    with pytest.raises(ConfigError, match="source was already set to a plain value"):
        from_command_line(["ingest.source=x", "ingest.source.path=y"])


def test_other_variables_and_those_of_the_build_are_no_settings() -> None:
    others = {"HOME": "/root", "MY_MMI_X": "1", "mmi_name": "x", "MMI": "1"}
    assert from_environment({**others, **dict.fromkeys(RESERVED, "1")}) == {}
    assert "MMI_CUDA" in RESERVED


@given(st.lists(st.from_regex(r"[a-z]+(_[a-z]+)?", fullmatch=True), min_size=1, max_size=4))
def test_a_variable_name_leads_back_to_its_setting(path: list[str]) -> None:
    assume(variable(path) not in RESERVED)
    tree: Any = from_environment({variable(path): "7"})
    for part in path:
        tree = tree[part]
    assert tree == 7
