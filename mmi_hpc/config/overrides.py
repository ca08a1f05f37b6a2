"""Settings from the command line (`answer.temperature=0.7`) and from `MMI_*` variables.

The grammar is Hydra's override grammar, read by Hydra's own parser.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from mmi_hpc.errors import ConfigError

# Variables of the build and the kernels, which are no settings of a run.
RESERVED = frozenset({"MMI_CUDA", "MMI_CUDA_ARCHS", "MMI_ISA", "MMI_UPDATE_GOLDEN"})


_KEY = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def from_command_line(arguments: Iterable[str]) -> dict[str, Any]:
    """Turn `key.path=value` arguments into a nested mapping.

    Raises:
        ConfigError: An argument is not of that form, or lists several values.
    """
    tree: dict[str, Any] = {}
    for argument in arguments:
        key, equals, text = argument.partition("=")
        if key.startswith(("+", "~")):
            raise ConfigError(f"{argument!r}: write key=value, without '+' or '~'.")
        if not (equals and _KEY.fullmatch(key)):
            raise ConfigError(
                f"cannot read the setting {argument!r}. "
                "Write key=value, for example answer.temperature=0.7."
            )
        insert(tree, key.split("."), _value(text, argument))
    return tree


def from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    """Turn `MMI_ANSWER__TEMPERATURE=0.7` into `{"answer": {"temperature": 0.7}}`.

    Raises:
        ConfigError: A variable lists several values.
    """
    tree: dict[str, Any] = {}
    for name in sorted(environment):
        if name.startswith("MMI_") and name not in RESERVED:
            path = name.removeprefix("MMI_").lower().split("__")
            insert(tree, path, _value(environment[name], f"{name}={environment[name]}"))
    return tree


def variable(path: Iterable[str]) -> str:
    """Name of the variable that sets the setting at `path`."""
    return "MMI_" + "__".join(path).upper()


def insert(tree: dict[str, Any], path: list[str], value: Any) -> None:
    """Put `value` at a dotted path of a nested mapping, making the levels between."""
    for part in path[:-1]:
        child = tree.setdefault(part, {})
        if not isinstance(child, dict):
            raise ConfigError(f"{'.'.join(path)}: {part} was already set to a plain value.")
        tree = child
    tree[path[-1]] = value


def _value(text: str, argument: str) -> Any:
    from hydra.errors import HydraException

    try:
        override = _parser().parse_override(f"value={text}")
    except HydraException:
        # Not every path is a word of the grammar; the shell has unquoted it.
        return text
    if override.is_sweep_override():
        raise ConfigError(
            f"{argument!r} lists several values; give one value per run. A list is written in "
            "brackets (stages=[ingest,describe]), a value with a comma in quotes within quotes: "
            "'key=\"a,b\"'."
        )
    return _plain(override.value())


@cache
def _parser() -> Any:
    from hydra.core.override_parser.overrides_parser import OverridesParser

    return OverridesParser.create()


def _plain(value: Any) -> Any:
    """Hydra wraps quoted strings; hand out plain Python values only."""
    if isinstance(value, dict):
        return {str(_plain(key)): _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return getattr(value, "text", value)
