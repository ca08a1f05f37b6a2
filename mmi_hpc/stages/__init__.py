"""The stages of the chain, one file each, and the settings of a run made of all their sections."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any

from pydantic import create_model

from mmi_hpc.config import names
from mmi_hpc.config.run_settings import RunSettings
from mmi_hpc.config.settings import StageSettings
from mmi_hpc.errors import ConfigError

# In the order of the chain; the class is imported when it is needed.
STAGES = {
    "ingest": "mmi_hpc.stages.ingest:Ingest",
    "describe": "mmi_hpc.stages.describe:Describe",
    "embed": "mmi_hpc.stages.embed:Embed",
    "propose": "mmi_hpc.stages.propose:Propose",
    "cluster": "mmi_hpc.stages.cluster:ClusterInstructions",
    "summarise": "mmi_hpc.stages.summarise:Summarise",
    "bank": "mmi_hpc.stages.bank:Bank",
    "candidates": "mmi_hpc.stages.candidates:Candidates",
    "duplicates": "mmi_hpc.stages.duplicates:Duplicates",
    "balance": "mmi_hpc.stages.balance:BalanceInstructions",
    "match": "mmi_hpc.stages.match:MatchInstructions",
    "exemplify": "mmi_hpc.stages.exemplify:Exemplify",
    "answer": "mmi_hpc.stages.answer:AnswerPairs",
    "screen": "mmi_hpc.stages.screen:Screen",
    "export": "mmi_hpc.stages.export:Export",
}


@cache
def settings_class() -> type[RunSettings]:
    """The class of a whole configuration: what every run has, and each stage's section."""
    sections: dict[str, Any] = {}
    for section in _sections():
        required = any(field.is_required() for field in section.model_fields.values())
        sections[section.section] = (section, ... if required else section())
    return create_model("Configuration", __base__=RunSettings, **sections)


def classes(stages: tuple[str, ...]) -> list[tuple[str, str]]:
    """(name, import path) of the named stages.

    Raises:
        ConfigError: There is no such stage, or they are not in the order of the chain.
    """
    for name in stages:
        if name not in STAGES:
            best = names.nearest(name, list(STAGES))
            hint = f"Did you mean {best}?" if best else f"Known: {', '.join(STAGES)}."
            raise ConfigError(f"stages: there is no stage {name!r}. {hint}")
    ordered = [name for name in STAGES if name in stages]
    if list(stages) != ordered:
        raise ConfigError(f"stages: write each once and in this order: {', '.join(ordered)}")
    return [(name, STAGES[name]) for name in stages]


def _sections() -> list[type[StageSettings]]:
    found: dict[str, type[StageSettings]] = {}
    for path in STAGES.values():
        module, _, name = path.partition(":")
        for use in getattr(import_module(module), name).settings:
            found[use.section.section] = use.section
    return list(found.values())
