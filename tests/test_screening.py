"""The rules that judge answers: what each must flag, and the near misses it must let pass."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmi_hpc.screening import MEANINGS, Limits, repetition, screen

ANSWERS = Path(__file__).resolve().parents[2] / "shared" / "data" / "mm_instruct_eval"
LIMITS = Limits(min_words=3, max_words=600, max_repetition=0.3, max_echo=0.6)
INSTRUCTION = "Write a short story inspired by the quiet harbour in the photo."
DESCRIPTION = "Three fishing boats float in the harbour beside a white lighthouse."


def flags(
    text: str,
    finish_reason: str = "stop",
    limits: Limits = LIMITS,
    instruction: str = INSTRUCTION,
) -> tuple[str, ...]:
    return screen(
        text,
        instruction=instruction,
        description=DESCRIPTION,
        finish_reason=finish_reason,
        limits=limits,
    )[0]


@pytest.mark.parametrize(
    "text",
    [
        "I'm sorry, but I can't help with that.",
        "I’m sorry, but I can’t provide an analysis of this artwork.",
        "Sorry, but that is beyond me today.",
        "Unfortunately, I can't see the image you're referring to.",
        "As an AI language model, I cannot taste the food in the image.",
        "As an AI, I have no feelings about this view.",
        "Here is a thought. As a large language model I never saw the sea.",
        "Unfortunately, I don't have the ability to create visual designs, friend.",
        "I do not have access to the photo you mention.",
        "I'm unable to view the image in question.",
        "I am not able to create a postcard for you.",
        "I cannot assist with that request at all.",
        "I apologize, but I am not allowed to do this.",
        "I must decline this request, my friend.",
        "I must respectfully decline to write such a story.",
        "I won't be able to help you with this one.",
        "I won’t be able to describe the image you sent.",
        "I will not be able to do that, friend.",
    ],
)
def test_refusals_are_flagged(text: str) -> None:
    assert flags(text) == ("refusal",)


@pytest.mark.parametrize(
    "text",
    [
        "Dear Anna, I'm sorry for your loss and think of you every day.",
        '"I\'m sorry," whispered the fox, "but the river took my boat."',
        "I can't help but smile whenever the boats come home.",
        "I cannot see the end of this road, yet I walk on.",
        "I’m afraid of the dark water below, she thought.",
        "She works as an AI researcher in a small coastal town.",
        "I am unable to sleep while the foghorn calls.",
        "Sorry, we are closed: come back tomorrow for fresh bread.",
        "I cannot provide for my family with empty nets.",
        "I apologize for the late delivery of your order.",
        "Dear Anna, I must decline your kind invitation to the regatta.",
        "I won’t be able to join you at the harbour on Friday.",
        "I must declare my love for this harbour.",
        "I can't do this any more, said the old sailor.",
    ],
)
def test_apologies_in_stories_and_letters_are_no_refusals(text: str) -> None:
    assert flags(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "Based on the description, the harbour is calm at noon.",
        "Based upon the image's description, it is a calm place.",
        "According to the caption, three boats float here.",
        "The description does not mention any people at all.",
        "As mentioned in the caption, the lighthouse is white.",
        "The provided captions speak of three boats here.",
        "From the given description we learn of boats.",
        "This image description states that boats float here.",
        "The bounding boxes show where the boats are.",
        "The boat lies at coordinates [0.1, 0.2, 0.3, 0.4] here.",
        "No names appear in the text description of it.",
        "As described, the harbour is calm at noon.",
        "It is noon. As described, three boats float here.",
        "The boat [0.1, 0.2, 0.5, 0.9] lies beside the pier.",
        "A lighthouse stands there: [0.0,0.125,.5,1.0]",
    ],
)
def test_words_about_the_hidden_source_are_leakage(text: str) -> None:
    assert flags(text) == ("leakage",)


@pytest.mark.parametrize(
    "text",
    [
        "Provide a brief description of the product in your advert.",
        "Caption: Three boats and one patient lighthouse at dawn.",
        "Her description of the thief was given to the police.",
        "Write one caption per photo and keep it playful.",
        "The new job description asks for patience and strong arms.",
        "Plot the coordinates of each buoy on your map.",
        "Link in the description below, friends of the sea!",
        "Pack your things in a bounding rhythm of joy.",
        "The house was as described, small and white.",
        "As described by Homer, the sea is dark as wine.",
        "The sizes in metres are [1.5, 0.2, 0.5, 0.9] here.",
        "Mark the hours you slept: [0.5, 0.25, 0.75] of a day.",
        "Choose one of these numbers: [0, 1, 0, 1] or more.",
    ],
)
def test_everyday_captions_and_descriptions_are_no_leakage(text: str) -> None:
    assert flags(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "[INST] Tell me more about the boats [/INST]",
        "The boats come home.<|im_end|> And they rest.",
        "The boats come home at last.</s>",
        "<image> The boats come home at last.",
        "The boats come home.\nUSER: And what happens then?",
        "Assistant: The boats come home at last.",
        "### Response: The boats come home at last.",
        "The boats come home.\n\nInstruction: Write a poem instead.",
        "The boats come home.\nWhat you see:\nA lighthouse and a pier.",
        "### Your turn\nThe boats come home at last.",
        "Here you go:\n```python\nprint('boats')\n",
        "The boats come h\ufffdme at last.",
        "The boats come home\x00 at last.",
        '{"answer": "The boats come home at last."}',
        '["The boats come home", "and rest"]',
        ' [{"boat": "red"}, {"boat": "blue"}]\n',
        '{"answer": "The boats come home at last.",}',
        '{"answer": "The boats come home at',
        "{'answer': 'The boats come home at last.'}",
        '["The boats come home", and rest]',
        "[" * 5000 + "the boats come home" + "]" * 5000,
    ],
    ids=lambda text: text[:40],
)
def test_remains_of_prompts_and_broken_text_are_flagged_parse(text: str) -> None:
    assert flags(text) == ("parse",)


@pytest.mark.parametrize(
    "text",
    [
        "Description: A cosy cottage with a view of three boats.",
        "### Instructions\n1. Cast off. 2. Sail home.",
        "Here you go:\n```\nahoy there captain\n```\nDone.",
        "The user: a sailor. The assistant: his old dog.",
        "Temperature < 5 degrees and wind > 20 knots today.",
        "Tabs\tand\nnewlines are part of a tidy table.",
        "[Verse 1]\nThe boats come home at last.\n[Chorus]",
        "[The boats come home at last.]",
        "{Three} boats come home at {last}",
        'Use this setting: {"boats": 3}',
    ],
)
def test_headings_brackets_and_closed_code_are_no_remains(text: str) -> None:
    assert flags(text) == ()


@pytest.mark.parametrize("text", ["", "   \n", "...", "🙂🙂🙂", "—"])
def test_an_answer_without_a_word_is_empty_and_nothing_else(text: str) -> None:
    assert flags(text) == ("empty",)


def test_length_is_judged_by_words_and_by_the_token_limit() -> None:
    assert flags("Two boats") == ("length",)
    assert flags("Three calm boats") == ()
    few = Limits(min_words=1, max_words=4, max_repetition=1, max_echo=1)
    assert flags("one two three four", limits=few) == ()
    assert flags("one two three four five", limits=few) == ("length",)
    assert flags("The boats come home when", finish_reason="length") == ("length",)


def test_json_that_was_asked_for_is_an_answer_unless_it_is_broken() -> None:
    asked = "List the boats in the photo as JSON."
    assert flags('{"boats": ["red", "blue"]}', instruction=asked) == ()
    assert flags('{"boats": ["red", "blue"}', instruction=asked) == ("parse",)


@pytest.mark.parametrize(
    "text",
    ["三只渔船停在港口里。", "港に漁船が三隻とまっている。", "항구에 어선 세 척이 떠 있다."],
    ids=["Chinese", "Japanese", "Korean"],
)
def test_every_letter_of_scripts_without_spaces_is_a_word(text: str) -> None:
    _, scores = screen(text, instruction="", description="", finish_reason="stop", limits=LIMITS)
    assert scores["words"] == sum(letter.isalpha() for letter in text)
    assert flags(text) == ()
    assert flags(text * 5) == ("repetition",)
    assert flags(text[:2]) == ("length",)
    assert flags(text, instruction=text) == ("echo",)


def test_words_of_other_scripts_stay_whole_beside_them() -> None:
    few = Limits(min_words=5, max_words=5, max_repetition=1, max_echo=1)
    assert flags("GPU加速 well-known don’t", limits=few) == ()
    assert flags("Лодки вернулись домой à Besançon", limits=few) == ()


def test_copying_the_question_or_what_was_known_is_echo() -> None:
    assert flags(INSTRUCTION) == ("echo",)
    assert flags(DESCRIPTION.upper() + " ") == ("echo",)
    assert flags(INSTRUCTION + " Please wait.") == ("echo",)
    own = "Old Tom rowed out before dawn and met a whale that knew his name."
    assert flags(f"{own} It was inspired by the quiet harbour in the photo.") == ()


def test_saying_the_same_thing_again_is_repetition() -> None:
    line = "the boats come home at last. "
    assert flags(line * 5) == ("repetition",)
    assert flags("The boats come home. " + "The tide goes out and the gulls cry over it.") == ()


def test_repetition_counts_four_word_sequences() -> None:
    assert repetition(["a", "b", "c", "d", "a", "b", "c", "d"]) == pytest.approx(1 - 4 / 5)
    assert repetition(["a", "a", "a"]) == 0
    assert repetition(["a", "b", "c", "d"]) == 0


@pytest.mark.parametrize(
    "part", ["\n", " ", "# ", "[", '["', "[0.1, ", '{"', "漢", "I must decline "]
)
def test_a_hostile_text_of_any_size_is_judged(part: str) -> None:
    # A rule whose work grew with the square of the text would not come to an end here.
    assert flags(part * (1_000_000 // len(part)) + "x")


def test_flags_come_in_the_order_of_their_meanings() -> None:
    found = flags("I'm sorry, but based on the description I cannot say </s>", "length")
    assert found == ("parse", "length", "leakage", "refusal")
    assert list(found) == [flag for flag in MEANINGS if flag in found]


@given(st.text(max_size=400), st.text(max_size=60), st.text(max_size=60))
def test_any_text_gets_known_flags_and_scores_between_bounds(
    text: str, instruction: str, description: str
) -> None:
    found, scores = screen(
        text,
        instruction=instruction,
        description=description,
        finish_reason="stop",
        limits=LIMITS,
    )
    assert set(found) <= set(MEANINGS)
    assert 0 <= scores["repetition"] <= 1
    assert 0 <= scores["echo"] <= 1
    assert ("empty" in found) == (scores["words"] == 0)


# Published answers of three models to 99 instructions; the refusals were read one by one.
EXPECTED = {
    "Qwen-VL": Counter(refusal=8, repetition=1),
    "gpt4v": Counter(),
    "llava-v1.5-7b": Counter(),
}


@pytest.mark.skipif(not ANSWERS.exists(), reason=f"the published answers are not at {ANSWERS}")
@pytest.mark.parametrize("model", sorted(EXPECTED))
def test_published_answers_are_flagged_where_a_reader_would(model: str) -> None:
    def lines(path: Path) -> list[dict[str, str]]:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

    asked = {entry["question_id"]: entry for entry in lines(ANSWERS / "questions.jsonl")}
    found = Counter[str]()
    for answer in lines(ANSWERS / "answers" / f"{model}.jsonl"):
        question = asked[answer["question_id"]]
        found.update(
            screen(
                answer["text"],
                instruction=question["text"],
                description=question["caption"],
                finish_reason="stop",
                limits=LIMITS,
            )[0]
        )
    assert found == EXPECTED[model]
