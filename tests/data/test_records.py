"""Records come back as they were written, and nothing else passes for one."""

from __future__ import annotations

import dataclasses
import json
from typing import Any, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmi_hpc.data import records
from mmi_hpc.data.records import Box, Failure, ImageRecord, decode, encode

KINDS = [
    kind
    for kind in vars(records).values()
    if dataclasses.is_dataclass(kind) and kind.__module__ == records.__name__
]
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: st.text(st.characters(exclude_categories=("Cs",)), max_size=12),
    int: st.integers(-(2**53), 2**53),
    float: st.floats(allow_nan=False, allow_infinity=False),
    bool: st.booleans(),
    type(None): st.none(),
}


def values(annotation: Any) -> st.SearchStrategy[Any]:
    """Values of a field's type, however deep tuples, unions and records are nested in it."""
    inner = get_args(annotation)
    if annotation in PLAIN:
        return PLAIN[annotation]
    if dataclasses.is_dataclass(annotation):
        hints = get_type_hints(annotation)
        fields = [field.name for field in dataclasses.fields(annotation)]
        return st.builds(annotation, **{name: values(hints[name]) for name in fields})
    if get_origin(annotation) is dict:
        return st.dictionaries(values(inner[0]), values(inner[1]), max_size=2)
    if get_origin(annotation) is not tuple:
        return st.one_of([values(one) for one in inner])
    if inner[-1] is Ellipsis:
        return st.lists(values(inner[0]), max_size=3).map(tuple)
    return st.tuples(*map(values, inner))


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=20)
def test_a_record_comes_back_as_it_was_written(kind: type[Any], data: st.DataObject) -> None:
    record = data.draw(values(kind))
    line = encode(record)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert decode(kind, line, "here") == record


def test_fields_are_written_in_their_order() -> None:
    line = encode(Box("ü", 0, 0.25, 1, 1))
    assert line == '{"label":"ü","x1":0,"y1":0.25,"x2":1,"y2":1}\n'.encode()


def minimal(kind: type[Any]) -> dict[str, Any]:
    """The plain JSON of the smallest record of a kind."""
    values: dict[str, Any] = {"str": "x", "int": 1, "float": 0.5}
    required = [
        field
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    ]
    return {field.name: values.get(str(field.type), []) for field in required}


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_kind_refuses_an_unknown_and_a_missing_field(kind: type[Any]) -> None:
    plain = minimal(kind)
    decode(kind, json.dumps(plain).encode(), "here")
    with pytest.raises(ValueError, match=rf"file:7 holds no {kind.__name__}: extra: "):
        decode(kind, json.dumps({**plain, "extra": 1}).encode(), "file:7")
    for name in plain:
        fewer = {key: value for key, value in plain.items() if key != name}
        with pytest.raises(ValueError, match=f"holds no {kind.__name__}: {name}: "):
            decode(kind, json.dumps(fewer).encode(), "here")


@pytest.mark.parametrize(
    "change",
    [
        {"id": 5},
        {"id": None},
        {"width": "5"},
        {"width": 5.5},
        {"width": True},
        {"boxes": "none"},
        {"boxes": [{"label": "dog", "x1": "0", "y1": 0, "x2": 1, "y2": 1}]},
        {"boxes": [{"label": "dog", "x1": 0, "y1": 0, "x2": 1, "y2": 1, "z": 1}]},
    ],
    ids=str,
)
def test_a_wrong_type_is_refused_not_converted(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="holds no ImageRecord"):
        decode(ImageRecord, json.dumps({"id": "a", **change}).encode(), "here")


@pytest.mark.parametrize(
    "line", [b"", b"\n", b'{"id": "a", "rea', b"[]", b"null", b'{"id":"\xff","reason":"r"}']
)
def test_a_torn_line_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match="there holds no Failure"):
        decode(Failure, line, "there")


def test_whole_numbers_are_numbers() -> None:
    box = {"label": "dog", "x1": 0, "y1": 0, "x2": 1, "y2": 1}
    found = decode(ImageRecord, json.dumps({"id": "a", "boxes": [box]}).encode(), "here")
    assert found.boxes == (Box("dog", 0.0, 0.0, 1.0, 1.0),)
