"""Names of models: paths are made absolute, all other names are left alone."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mmi_hpc.config.settings import scientific
from mmi_hpc.embed.settings import EncoderSettings
from mmi_hpc.errors import ConfigError


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder at work and the home folder, with a model and a checkpoint in it."""
    (tmp_path / "models" / "clip").mkdir(parents=True)
    (tmp_path / "models" / "weights.pt").write_bytes(b"weights")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize("folder", ["models/", "./models/", "~/models/", "models/clip/../"])
def test_a_path_means_the_same_in_a_worker_that_runs_elsewhere(here: Path, folder: str) -> None:
    settings = EncoderSettings(model=f"{folder}clip", pretrained=f"{folder}weights.pt")
    assert settings.model == str(here / "models" / "clip")
    assert settings.pretrained == str(here / "models" / "weights.pt")
    identity = settings.identity()
    os.chdir("/")
    assert EncoderSettings(**settings.model_dump()) == settings
    assert settings.identity() == identity


@pytest.mark.parametrize(
    "name",
    ["", "all-MiniLM-L6-v2", "owner/name", "hf-hub:owner/name", "ViT-L-14-336-quickgelu", "openai"],
)
def test_names_of_hubs_architectures_and_tags_stay_as_they_are(here: Path, name: str) -> None:
    settings = EncoderSettings(model=name, pretrained=name)
    assert (settings.model, settings.pretrained) == (name, name)


def test_a_path_that_does_not_exist_is_named_as_it_was_written(here: Path) -> None:
    with pytest.raises(ConfigError, match=r"no file or folder \./models/other\."):
        EncoderSettings(model="./models/other").check("embed.encoder")


def test_a_models_name_tells_runs_apart_but_results_depend_on_its_content() -> None:
    settings = EncoderSettings(model="owner/name", pretrained="tag")
    assert {"model", "pretrained"}.isdisjoint(scientific(settings))
    located = scientific(settings, located=True)
    assert (located["model"], located["pretrained"]) == ("owner/name", "tag")
