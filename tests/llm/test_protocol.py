"""What makes two requests the same, and how one looks on the wire."""

from __future__ import annotations

import base64
import dataclasses
from typing import Any

import pytest

from mmi_hpc.llm.protocol import ChatRequest
from mmi_hpc.llm.settings import LlmSettings

REQUEST = ChatRequest("answer", "Be brief.", "What is it?", {}, b"pixels", "image/png", 5)
SETTINGS = LlmSettings(engine="openai", model="m")

OPERATIONAL: dict[str, Any] = {
    "base_url": "https://elsewhere.example/v1",
    "api_key_env": "ANOTHER_KEY",
    "concurrency": 3,
    "timeout_seconds": 1.5,
    "max_attempts": 2,
}
SCIENTIFIC: dict[str, Any] = {
    "engine": "rules",
    "model": "n",
    "temperature": 0.1,
    "top_p": 0.5,
    "max_tokens": 9,
}


def test_every_setting_is_either_scientific_or_operational() -> None:
    assert {*OPERATIONAL, *SCIENTIFIC} == set(LlmSettings.model_fields)


@pytest.mark.parametrize("name", SCIENTIFIC)
def test_another_scientific_setting_is_another_request(name: str) -> None:
    other = SETTINGS.model_copy(update={name: SCIENTIFIC[name]})
    assert REQUEST.key(other) != REQUEST.key(SETTINGS)


@pytest.mark.parametrize("name", OPERATIONAL)
def test_another_way_to_reach_the_model_is_the_same_request(name: str) -> None:
    other = SETTINGS.model_copy(update={name: OPERATIONAL[name]})
    assert REQUEST.key(other) == REQUEST.key(SETTINGS)


@pytest.mark.parametrize(
    "change",
    [
        {"system": "Be long."},
        {"user": "Where is it?"},
        {"image": b"pixel"},
        {"image": b""},
        {"image": None},
        {"image_type": "image/jpeg"},
        {"seed": 6},
        {"system": "", "user": "Be brief.What is it?"},
        {"system": "What is it?", "user": "Be brief."},
    ],
    ids=str,
)
def test_whatever_the_model_sees_tells_requests_apart(change: dict[str, Any]) -> None:
    assert dataclasses.replace(REQUEST, **change).key(SETTINGS) != REQUEST.key(SETTINGS)


def test_equal_requests_have_equal_keys_of_32_hex_digits() -> None:
    key = dataclasses.replace(REQUEST).key(SETTINGS)
    assert key == REQUEST.key(SETTINGS)
    assert len(key) == 32
    int(key, 16)


def test_an_image_stands_before_the_text_as_a_data_url() -> None:
    system, user = REQUEST.messages()
    assert system == {"role": "system", "content": "Be brief."}
    shown, text = user["content"]
    head, _, data = shown["image_url"]["url"].partition(",")
    assert head == "data:image/png;base64"
    assert base64.b64decode(data, validate=True) == b"pixels"
    assert text == {"type": "text", "text": "What is it?"}


def test_without_image_and_system_prompt_there_is_one_plain_turn() -> None:
    plain = ChatRequest("answer", "", "What is it?", {})
    assert plain.messages() == [{"role": "user", "content": "What is it?"}]


@pytest.mark.parametrize(
    "url",
    ["", "localhost:8000", "ftp://host/v1", "http://", "http://us:er@host/v1", "http://h/v1?key=x"],
)
def test_an_address_that_is_none_or_holds_a_secret_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url"):
        LlmSettings(base_url=url)
