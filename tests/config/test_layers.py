"""Layers of a configuration: their rank, and one clear sentence for everything that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from mmi_hpc.config.layers import compose, merge, read_yaml, validate
from mmi_hpc.errors import ConfigError
from mmi_hpc.stages import settings_class

ROOT = Path(__file__).resolve().parents[2]
MINIMAL: dict[str, Any] = {"stages": ["ingest"], "ingest": {"source": {"kind": "samples"}}}
TREES = st.recursive(
    st.integers() | st.lists(st.integers(), max_size=2),
    lambda inner: st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=8,
)
LAYERS = st.lists(st.dictionaries(st.sampled_from("abc"), TREES, max_size=3), max_size=4)


def wrong(tree: dict[str, Any]) -> str:
    with pytest.raises(ConfigError) as caught:
        validate(settings_class(), tree, "my.yaml")
    assert caught.value.exit_code == 64
    return str(caught.value)


def with_answer(**settings: Any) -> dict[str, Any]:
    return {**MINIMAL, "answer": settings}


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def test_a_later_layer_has_the_higher_rank(tmp_path: Path) -> None:
    profile = write(tmp_path / "site.yaml", "{a: 1, b: 1, c: 1, d: 1, site: {workers: 1, x: 1}}")
    recipe = write(tmp_path / "recipe.yaml", "{b: 2, c: 2, d: 2, site: {workers: 2}}")
    environment = {"MMI_C": "3", "MMI_D": "3", "MMI_SITE__WORKERS": "3"}
    tree = compose(recipe, ["d=4"], profile=profile, environment=environment)
    assert tree == {"a": 1, "b": 2, "c": 3, "d": 4, "site": {"workers": 3, "x": 1}}
    assert compose(recipe, ["site.workers=9"], environment=environment)["site"] == {"workers": 9}


def test_variables_come_from_the_process_by_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MMI_SEED", "5")
    assert compose(write(tmp_path / "r.yaml", "seed: 1"))["seed"] == 5


def test_lists_are_replaced_as_a_whole_and_layers_left_alone() -> None:
    below, above = {"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": {"d": 2}}
    assert merge([below, above]) == {"a": [3], "b": {"c": 1, "d": 2}}
    assert (below, above) == ({"a": [1, 2], "b": {"c": 1}}, {"a": [3], "b": {"d": 2}})


@given(LAYERS)
def test_merging_at_once_is_merging_step_by_step(layers: list[dict[str, Any]]) -> None:
    step: dict[str, Any] = {}
    for layer in layers:
        step = merge([step, layer])
    assert merge(layers) == step


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("a: [1, 2", "is not valid YAML"),
        ("- a\n- b\n", "must hold settings"),
        ("", "must hold settings"),
        ("just a sentence", "must hold settings"),
        (b"name: caf\xe9\n", "cannot read"),
        ("a: !!python/object/apply:os.system ['true']", "is not valid YAML"),
    ],
)
def test_an_unreadable_file_is_named(tmp_path: Path, content: str | bytes, reason: str) -> None:
    path = write(tmp_path / "broken.yaml", content)
    with pytest.raises(ConfigError, match=reason) as caught:
        read_yaml(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_or_a_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"there is no configuration file .*nowhere\.yaml"):
        compose(tmp_path / "nowhere.yaml")
    with pytest.raises(ConfigError, match="cannot read"):
        read_yaml(tmp_path)


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({**MINIMAL, "answr": {}}, "answr: there is no such setting. Did you mean answer?"),
        (with_answer(exmples=1), "Did you mean answer.examples?"),
        (with_answer(llm={"modle": "x"}), "Did you mean answer.llm.model?"),
        ({**MINIMAL, "site": {"worker": 4}}, "Did you mean site.workers?"),
        ({**MINIMAL, "shard_rows_": 4}, "Did you mean shard_rows?"),
        ({**MINIMAL, "max_pixels": 4}, "Did you mean ingest.max_pixels?"),
        (with_answer(temprature=1), "Did you mean answer.llm.temperature?"),
        (with_answer(temperature=1), "Did you mean answer.llm.temperature?"),
        (with_answer(max_pixels=4), "Did you mean ingest.max_pixels?"),
        ({**MINIMAL, "per_imag": 1}, "Did you mean match.per_image or propose.per_image?"),
        (with_answer(xyzzy=1), "Known here: examples, llm."),
        ({**MINIMAL, "xyzzy": 4}, "Known here: answer, cluster,"),
    ],
)
def test_an_unknown_name_comes_with_the_nearest_known_one(
    tree: dict[str, Any], sentence: str
) -> None:
    message = wrong(tree)
    assert sentence in message
    assert "my.yaml" in message


def test_the_settings_of_a_source_are_named_as_they_are_written() -> None:
    message = wrong({**MINIMAL, "ingest": {"source": {"kind": "folder", "pth": "p"}}})
    assert (
        "ingest.source.pth: there is no such setting. Did you mean ingest.source.path?" in message
    )
    assert "ingest.source.path: this setting is required." in message
    assert message.startswith("2 settings are wrong")
    source = {"kind": "jsonl", "path": "p", "fields": {"imag": "x"}}
    message = wrong({**MINIMAL, "ingest": {"source": source}})
    assert "Did you mean ingest.source.fields.image?" in message


def test_a_source_is_only_offered_its_own_settings() -> None:
    message = wrong({**MINIMAL, "ingest": {"source": {"kind": "folder", "path": "p", "xyzzy": 1}}})
    assert "Known here: kind, path, text." in message


def test_a_wrong_or_missing_kind_says_what_there_is() -> None:
    message = wrong({**MINIMAL, "ingest": {"source": {"kind": "foldr", "path": "p"}}})
    assert "ingest.source.kind: there is no kind 'foldr'. Did you mean folder?" in message
    message = wrong({**MINIMAL, "ingest": {"source": {"kind": "zip", "path": "p"}}})
    assert "Known: folder, jsonl, coco, webdataset, samples." in message
    message = wrong({**MINIMAL, "ingest": {"source": {"path": "p"}}})
    assert "ingest.source.kind: this setting is required." in message


@pytest.mark.parametrize(
    ("tree", "sentence"),
    [
        ({**MINIMAL, "shard_rows": "many"}, "shard_rows: Input should be a valid integer"),
        ({**MINIMAL, "shard_rows": 0}, "shard_rows: Input should be greater than or equal to 1"),
        ({**MINIMAL, "name": "../up"}, "name: must be 1 to 64 letters, digits, dots, dashes or"),
        ({**MINIMAL, "site": {"umask": "rwx"}}, "site.umask: must be three digits from 0 to 7"),
        (with_answer(llm={"base_url": "localhost"}), "must be an address such as http://"),
        ({**MINIMAL, "stages": "ingest"}, "stages: must be a list in brackets: [a, b] (got 'in"),
        ({**MINIMAL, "ingest": {"source": "folder"}}, "source: must be a section of settings: {k"),
        (
            {**MINIMAL, "match": {"mode": "balance"}},
            "or 'balanced' (got 'balance'). Did you mean balanced?",
        ),
        ({**MINIMAL, "match": {"mode": 3}}, "or 'balanced' (got 3)"),
        ({**MINIMAL, "seed": None}, "seed: Input should be a valid integer (got None)"),
        (
            with_answer(llm={"engine": "x"}),
            "answer.llm.engine: Input should be 'rules' or 'openai'",
        ),
        (with_answer(llm={"temperature": float("nan")}), "answer.llm.temperature: "),
        (
            {**MINIMAL, "answer": None},
            "answer: must be a section of settings: {key: value} (got None)",
        ),
        ({**MINIMAL, "export": {"exclude": ["refusl"]}}, "no such flag: refusl; known: empty"),
        ({"ingest": MINIMAL["ingest"]}, "stages: this setting is required."),
        ({"stages": ["ingest"]}, "ingest: this setting is required."),
    ],
)
def test_a_wrong_value_is_named_with_what_it_should_be(tree: dict[str, Any], sentence: str) -> None:
    assert sentence in wrong(tree)


def test_a_setting_from_a_variable_is_not_looked_for_in_the_recipe(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    recipe = write(tmp_path / "r.yaml", "{stages: [ingest], ingest: {source: {kind: samples}}}")
    monkeypatch.setenv("MMI_ANSWR__EXAMPLES", "1")
    monkeypatch.setenv("MMI_INGEST__SOURCE__PTH", "x")
    monkeypatch.setenv("MMI_SEED", "soon")
    message = wrong(compose(recipe))
    assert "Did you mean answer? It comes from the variable MMI_ANSWR__EXAMPLES." in message
    assert "It comes from the variable MMI_INGEST__SOURCE__PTH." in message
    assert "(got 'soon') It comes from the variable MMI_SEED." in message


@pytest.mark.parametrize("recipe", sorted((ROOT / "configs").glob("*.yaml")), ids=lambda p: p.stem)
def test_our_recipes_are_right(recipe: Path) -> None:
    settings = validate(settings_class(), compose(recipe, environment={}), str(recipe))
    assert settings.model_dump()["ingest"]["source"]["kind"] in ("samples", "webdataset")


def test_a_name_that_several_sections_hold_brings_a_few_of_them() -> None:
    message = wrong({**MINIMAL, "temprature": 1})
    assert "Did you mean match.temperature or answer.llm.temperature or " in message
    assert message.count("temperature") == 3


def test_a_pattern_without_words_of_ours_is_shown_as_it_is() -> None:
    class Example(BaseModel):
        code: str = Field(pattern="^[A-Z]$")

    with pytest.raises(ConfigError, match=r"code: String should match pattern '\^\[A-Z\]\$'"):
        validate(Example, {"code": "x"}, "my.yaml")
