"""What of a setting tells results apart."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import pytest

from mmi_hpc.config.layers import validate
from mmi_hpc.config.settings import LocalPath, Operational, Place, Settings, scientific
from mmi_hpc.errors import ConfigError
from mmi_hpc.stages import settings_class


class Inner(Settings):
    rate: float = 0.5
    threads: Annotated[int, Operational()] = 1


class Example(Settings):
    model: LocalPath
    seeds: LocalPath | None = None
    data: Place = Path("data")
    more: Place | None = None
    speed: Annotated[int, Operational()] = 1
    inner: Inner = Inner()


def example(folder: Path, **settings: Any) -> Example:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "weights.bin").write_bytes(b"weights")
    return Example(model=folder, **settings)


def test_how_and_where_the_work_is_done_does_not_count(tmp_path: Path) -> None:
    plain = example(tmp_path)
    fast = example(tmp_path, speed=9, inner={"threads": 8})
    assert scientific(plain) == scientific(fast)
    assert scientific(plain)["inner"] == {"rate": 0.5}
    assert scientific(plain) != scientific(example(tmp_path, inner={"rate": 0.6}))


@pytest.mark.parametrize("field", ["model", "seeds"])
def test_a_model_counts_by_its_content(tmp_path: Path, field: str) -> None:
    base = example(tmp_path / "base").model
    here, there = tmp_path / "here", tmp_path / "there" / "deep"
    for folder in (here, there):
        example(folder)

    def values(path: Path) -> dict[str, Any]:
        return scientific(Example(**{"model": base, field: path}))

    before = values(here)
    assert values(there) == before
    assert scientific(Example(model=base, seeds=base)) != scientific(Example(model=base))
    (there / "weights.bin").write_bytes(b"weighty")
    assert values(there) != before


def test_a_missing_model_is_a_wrong_setting(tmp_path: Path) -> None:
    for settings in (Example(model=tmp_path / "gone"), example(tmp_path, seeds=tmp_path / "gone")):
        with pytest.raises(ConfigError, match="gone does not exist"):
            scientific(settings)


def test_places_of_data_tell_runs_apart_but_not_results(tmp_path: Path) -> None:
    one = example(tmp_path, data="a", more="b")
    other = example(tmp_path, data="c", more="d")
    assert scientific(one) == scientific(other)
    assert scientific(one, located=True) != scientific(other, located=True)
    assert scientific(one, located=True)["more"] == str(Path("b").absolute())


def test_a_leading_tilde_is_the_home_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    settings = Example(model="~/m", seeds="~/s", data="~/d", more="~/e")
    assert [settings.model, settings.seeds] == [tmp_path / "m", tmp_path / "s"]
    assert [settings.data, settings.more] == [tmp_path / "d", tmp_path / "e"]


def test_settings_cannot_be_changed_after_they_were_checked(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        example(tmp_path).speed = 2  # type: ignore[misc]


def test_in_the_whole_schema_only_results_count() -> None:
    def values(located: bool = True, **changes: Any) -> dict[str, Any]:
        base = {"stages": ["ingest"], "ingest": {"source": {"kind": "samples"}}}
        return scientific(validate(settings_class(), {**base, **changes}, "r"), located=located)

    before = values()
    assert values(root="/elsewhere", site={"workers": 64}) == before
    assert values(shard_rows=7) != before
    assert values(located=False, shard_rows=7) == values(located=False)
    assert values(answer={"llm": {"concurrency": 2, "timeout_seconds": 1}}) == before
    assert values(seed=1) != before
    assert values(answer={"llm": {"max_tokens": 9}}) != before
