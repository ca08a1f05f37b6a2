"""The records that flow between stages, one frozen dataclass each, strict when read back."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, TypeVar

import orjson
from pydantic import ConfigDict, TypeAdapter, ValidationError

_STRICT = ConfigDict(extra="forbid")
_ADAPTERS: dict[type[Any], TypeAdapter[Any]] = {}


@dataclass(frozen=True)
class Box:
    """An object's box; coordinates in 0..1 of width and height, top-left to bottom-right."""

    label: str
    x1: float
    y1: float
    x2: float
    y2: float

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class ImageRecord:
    """What is known of one image besides its pixels.

    Attributes:
        id: Unique in the collection; free text, never used as a path.
        name: The image's name in its source (file name or key); "" when there is none.
        format: Pillow's name of the encoding ("JPEG"), or "" for a record without pixels.
        width: Pixels after the EXIF orientation was applied; 0 without pixels.
        height: As `width`.
        digest: xxh128 of the encoded bytes, or "" without pixels.
        alt_text: What the image's page said about it.
        description: A given description; "" when one is to be written.
        boxes: Objects that are known to be in the image.
    """

    id: str
    name: str = ""
    format: str = ""
    width: int = 0
    height: int = 0
    digest: str = ""
    alt_text: str = ""
    description: str = ""
    boxes: tuple[Box, ...] = ()

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Description:
    """What an image shows, in words. `origin` is "given" or the engine that wrote it."""

    id: str
    text: str
    origin: str
    model: str = ""

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class RawInstruction:
    """One instruction as proposed for one image, before clustering."""

    id: str
    text: str
    image_id: str
    seeds: tuple[str, ...]
    model: str

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Cluster:
    """A group of raw instructions that mean the same task.

    Attributes:
        id: "cluster-00042"; numbers follow the centroids.
        size: Number of raw instructions in the cluster.
        members: A sample of their texts; the first is the medoid.
    """

    id: str
    size: int
    members: tuple[str, ...]

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Instruction:
    """A final, reusable instruction of the bank."""

    id: str
    text: str
    cluster_id: str
    cluster_size: int
    model: str

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Duplicate:
    """An image that nearly equals an earlier one of the collection.

    Attributes:
        id: The image record's id.
        original: Id of the earliest image that it nearly equals.
        cosine: The exact cosine similarity of their vectors, float32.
    """

    id: str
    original: str
    cosine: float

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Exemplar:
    """An image for which an example answer is written, with its description."""

    image_id: str
    description: str

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Balance:
    """What has to be known of the whole collection before instructions are chosen.

    Attributes:
        potentials: One number per instruction, added to score / temperature.
        cutoffs: Per instruction the lowest (score, record id) that its cap lets in, or None.
        exemplars: Per instruction the images to write examples for, best first.
    """

    potentials: tuple[float, ...]
    cutoffs: tuple[tuple[float, str] | None, ...]
    exemplars: tuple[tuple[Exemplar, ...], ...]

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Match:
    """An instruction chosen for an image.

    Attributes:
        id: Unique id of the pair.
        image_id: The image record's id.
        instruction_id: The instruction's id.
        position: Row of the instruction in the bank.
        cosine: Their exact cosine similarity, float32.
        weight: Probability with which this instruction is chosen, after balancing.
        rank: 0 for the first choice of this image.
    """

    id: str
    image_id: str
    instruction_id: str
    position: int
    cosine: float
    weight: float
    rank: int

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Example:
    """An example answer to an instruction, used as an in-context example."""

    id: str
    instruction_id: str
    image_id: str
    description: str
    text: str
    model: str

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Answer:
    """The answer to one (image, instruction) pair, with what is needed to trace it."""

    id: str
    image_id: str
    instruction_id: str
    text: str
    finish_reason: str
    engine: str
    model: str
    prompt: str
    examples: tuple[str, ...]
    prompt_tokens: int = 0
    answer_tokens: int = 0

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Screening:
    """The verdict of every rule on one answer: flags that apply, and the measured scores."""

    id: str
    flags: tuple[str, ...]
    scores: dict[str, float] = field(default_factory=dict)

    __pydantic_config__ = _STRICT


@dataclass(frozen=True)
class Failure:
    """A record that gave no row, with the reason as a sentence.

    Attributes:
        id: The record's id.
        reason: Why.
        by_rule: True when a rule left it out on purpose (a cap, a repeat, the export's policy);
            trying again would leave it out again.
    """

    id: str
    reason: str
    by_rule: bool = False

    __pydantic_config__ = _STRICT


Record = TypeVar("Record")


def encode(record: Any) -> bytes:
    """One line of JSON, keys in field order, with the newline that marks it complete."""
    return orjson.dumps(record, option=orjson.OPT_APPEND_NEWLINE)


def decode(cls: type[Record], line: bytes, where: str) -> Record:
    """Read one line back, refusing missing and unknown fields and wrong types.

    Raises:
        ValueError: The line is no such record; the message says where and why.
    """
    try:
        record: Record = _adapter(cls).validate_json(line, strict=True)
        return record
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        field_name = ".".join(str(part) for part in problem["loc"])
        raise ValueError(
            f"{where} holds no {cls.__name__}: {field_name}: {problem['msg']}"
        ) from error


def _adapter(cls: type[Any]) -> TypeAdapter[Any]:
    if cls not in _ADAPTERS:
        _ADAPTERS[cls] = TypeAdapter(cls)
    return _ADAPTERS[cls]
