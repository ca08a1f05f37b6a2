"""The writer without a model: same text everywhere, grounded, and calm about hostile input."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmi_hpc.llm import rules
from mmi_hpc.llm.rules import GENRES, TASKS, recognise, write
from mmi_hpc.llm.rules.facts import read

ROOT = Path(__file__).resolve().parents[2]
QUESTIONS = ROOT.parent / "shared" / "data" / "mm_instruct_eval" / "questions.jsonl"
BANNED = ("caption", "description", "bounding box", "as an ai")
ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)

CAFE = (
    "The picture shows a woman wearing a yellow coat, with two cups of coffee on a wooden table. "
    "In the background, there is a brick wall with a green poster that reads “Open 1984”. "
    "She is smiling at a small dog."
)
HARBOUR = "Three fishing boats float in the harbour. A white lighthouse stands on a rocky cliff."

INSTRUCTIONS = {
    "caption": "Write a playful caption for the photo.",
    "social post": "Create a social media post about the image.",
    "story": "Write a short story inspired by the photo.",
    "poem": "Write a poem about the scene.",
    "haiku": "Craft a haiku inspired by the image.",
    "tasting note": "Create a tasting note inspired by the picture.",
    "review": "Write a concise product review based on the image.",
    "recipe": "Create a refreshing drink recipe inspired by the image.",
    "plan": "Plan a three-day itinerary inspired by the photo.",
    "analysis": "Analyze the composition of the picture.",
    "history": "Summarize the historical significance of the image.",
    "letter": "Draft an email to a friend about the photo.",
    "guide": "Create a step-by-step guide inspired by the image.",
    "quiz": "Create a quiz question about the picture.",
    "dialogue": "Write a dialogue between two people in the scene.",
    "campaign": "Design a marketing campaign using elements of the image.",
    "advert": "Create a persuasive ad for the product shown.",
    "news": "Write a news report based on the photo.",
    "fact sheet": "Prepare a fact sheet about what is shown.",
    "label": "Write a museum label for the image.",
    "hashtags": "Suggest hashtags for the photo.",
    "headline": "Write a catchy headline for the picture.",
    "accessible text": "Describe the image for a person who cannot see it.",
    "atmosphere": "Write a descriptive paragraph about the ambiance of the scene.",
    "diary": "Write a diary entry about this moment.",
    "riddle": "Write a riddle about the image.",
    "lesson": "Create a lesson for children using the picture.",
    "comparison": "Compare the main elements of the image.",
    "speech": "Give a short speech inspired by the image.",
    "interview": "Write an interview about the scene.",
    "postcard": "Create a digital postcard inspired by the image.",
    "blog": "Introduce the experience in a blog using the image.",
    "list": "List what can be seen in the photo.",
    "summary": "Summarize what happens here.",
    "fable": "Tell a fable in which something from the image learns to speak.",
    "song": "Sing about the photo in two verses and a chorus.",
    "critique": "Critique the composition and recommend two improvements.",
    "exam": "Set a demanding exam question based on the image.",
    "comic": "Draft a four-panel comic that starts from the photo.",
    "classified ad": "Offer one thing in the photo in a classified ad of under forty words.",
    "FAQ": "Answer four questions that curious readers would ask about the photo.",
    "podcast": "Record the script of a podcast introduction about the image.",
    "safety check": "Inspect the image for hazards and rank them by urgency.",
    "packing list": "Pack a bag for a day in this setting and justify every item.",
    "field notes": "Note your observations of the image as a scientist would.",
    "prediction": "Predict what happens in the next minute.",
    "short summary": "Put the photo into five short sentences.",
    "generic": "Surprise me with the image.",
}
SHORT = {"caption", "haiku", "hashtags", "headline", "list", "summary", "classified ad",
         "short summary"}  # fmt: skip
HOSTILE = {
    "empty": "",
    "blank": " \n\t ",
    "one word": "cat",
    "no punctuation": "two dogs in a park running after a red ball near a bench",
    "5000 words": "the old red boat lies on the quiet beach " * 556,
    "one long word": "x" * 50_000,
    "CJK": "一只猫坐在红色的沙发上。窗外有很多树。" * 30,
    "emoji": "🐈🐈 🛋️ 🎉",
    "newlines": "A cat\n\n\nA dog\r\nA bird\n",
    "braces": "{{ config }} {% raw %} {0} %s {description}",
    "HTML": "<script>alert(1)</script><img src=x onerror=y> <b>A cat</b> sits &amp; waits.",
    "Markdown": "# A *cat* | `dog` **bird**\n- one\n- two",
    "source words": "The caption says: this description has a bounding box, as an AI would say.",
    "punctuation": "... !!! ??? ,,, \" ' “ ) (",
    "control": "A cat\x00\x07 sits\ud800 on <image> a mat.",
    "repeats": "A cat sits. A cat sits. A cat sits.",
}


def answer(description: str, instruction: str, seed: int = 0) -> str:
    facts = {"description": description, "instruction": instruction, "examples": []}
    return write("answer", facts, seed)


def long_sentences(text: str) -> list[str]:
    pieces = re.split(r"[.!?。！？\n]+", re.sub(r"\*\*[^*\n]*\*\*", "\n", text))
    cleaned = [re.sub(r"^[\s\d\-:]+", "", piece).strip().lower() for piece in pieces]
    return [piece for piece in cleaned if len(piece.split()) >= 4]


def assert_sound(text: str, instruction: str) -> None:
    lowered = text.lower()
    assert text.strip()
    assert len(text) <= 2500
    assert not [word for word in BANNED if word in lowered]
    text.encode("utf-8")
    assert "<image>" not in text
    asked = " ".join(instruction.split()).lower().rstrip(" .!?")
    if len(asked.split()) >= 4:  # three words may well be what the scene is about
        assert asked not in lowered


# --- answers ----------------------------------------------------------------------------------


def test_there_are_at_least_eighteen_genres_and_each_has_an_instruction_here() -> None:
    assert {genre.name for genre in GENRES} == set(INSTRUCTIONS)
    assert len(INSTRUCTIONS) > 18


@pytest.mark.parametrize("genre", INSTRUCTIONS)
def test_the_genre_is_recognised(genre: str) -> None:
    assert recognise(INSTRUCTIONS[genre]).name == genre


@pytest.mark.parametrize("task", ["answer", "exemplify"])
@pytest.mark.parametrize("genre", INSTRUCTIONS)
def test_every_genre_gives_a_sound_answer_of_a_fitting_length(genre: str, task: str) -> None:
    for seed in range(5):
        facts = {"description": CAFE, "instruction": INSTRUCTIONS[genre], "examples": []}
        text = write(task, facts, seed)
        assert_sound(text, INSTRUCTIONS[genre])
        sentences = long_sentences(text)
        assert len(sentences) == len(set(sentences))
        words = len(text.split())
        assert words <= 150
        assert words >= (3 if genre in SHORT else 35)


@pytest.mark.parametrize("genre", INSTRUCTIONS)
def test_two_images_get_different_answers(genre: str) -> None:
    assert answer(CAFE, INSTRUCTIONS[genre]) != answer(HARBOUR, INSTRUCTIONS[genre])


@pytest.mark.parametrize("genre", ["story", "caption", "review", "blog", "letter", "generic"])
def test_the_answers_to_one_instruction_do_not_all_open_alike(genre: str) -> None:
    scenes = [f"A {animal} sits by the {place}." for animal in ("cat", "dog", "bird", "goat")
              for place in ("river", "house", "road")]  # fmt: skip
    texts = [re.sub(r"\*\*[A-Z][a-z ]+:\*\*", "", answer(s, INSTRUCTIONS[genre])) for s in scenes]
    openings = {" ".join(text.split()[:2]) for text in texts}
    assert len(openings) > 1


def test_the_seed_changes_the_wording() -> None:
    story = INSTRUCTIONS["story"]
    assert len({answer(CAFE, story, seed) for seed in range(8)}) > 1


def test_an_example_is_not_the_answer_word_for_word() -> None:
    facts = {"description": CAFE, "instruction": INSTRUCTIONS["story"], "examples": []}
    pairs = [(write("exemplify", facts, s), write("answer", facts, s)) for s in range(8)]
    assert any(example != given for example, given in pairs)


def test_a_guide_is_a_numbered_list_and_a_plan_has_its_days() -> None:
    assert re.search(r"^1\. .*\n2\. ", answer(CAFE, INSTRUCTIONS["guide"]), re.MULTILINE)
    plan = answer(CAFE, INSTRUCTIONS["plan"])
    assert "**Day 1**" in plan
    assert "**Day 3**" in plan
    assert "**Day 4**" not in plan


def test_a_haiku_has_three_lines() -> None:
    assert len(answer(CAFE, INSTRUCTIONS["haiku"]).split("\n")) == 3


def test_the_right_option_of_a_quiz_is_in_the_scene_and_the_wrong_ones_are_not() -> None:
    quiz = answer(HARBOUR, INSTRUCTIONS["quiz"])
    options = dict(re.findall(r"^([ABC])\) (.*)$", quiz, re.MULTILINE))
    right = re.search(r"Option ([ABC])", quiz)
    assert right
    shown = {letter for letter, text in options.items() if text.split()[-1] in HARBOUR.lower()}
    assert shown == {right.group(1)}


def test_the_answer_turns_to_what_the_instruction_names() -> None:
    text = answer("A man holds a red hat in a shop.", "Create a social media post promoting hats.")
    assert "the red hat" in text.split("\n")[0]


def test_talk_about_the_picture_becomes_talk_about_the_scene() -> None:
    text = answer("The picture shows a cat.", "Describe the photo.")
    assert text.startswith("There is a cat.")


def test_a_sentence_that_was_cut_off_is_left_out() -> None:
    text = answer("A man stands on a hill. He is looking to", INSTRUCTIONS["story"])
    assert "A man stands on a hill." in text
    assert "looking to" not in text


# --- noun phrases and sentences ---------------------------------------------------------------

PHRASES = {
    "A man in a long coat and black gloves bends forward.": (
        "a man",
        "a long coat",
        "black gloves",
    ),
    "A small yellow-green bud peeks in at the right.": ("a small yellow-green bud",),
    "Pale mortar lines separate them.": ("pale mortar lines",),
    "Two large ones cut off the view.": (),
    "A cat with long white whiskers spreads out.": ("a cat", "long white whiskers"),
    "Two large clusters fill the top, one curves down, and a smaller oval one sits below.": (
        "two large clusters",
    ),
    "A human eye fills a black square.": ("a human eye", "a black square"),
    "There are clover leaves and a few broad, pale leaves.": ("clover leaves",),
    "A cup stands on a matching round saucer.": ("a cup", "a matching round saucer"),
    "The coins differ, and the largest sit in the rightmost column of the first row.": (
        "the coins",
    ),
    "The saucer rests on a worn, reddish wooden table.": (
        "the saucer",
        "a worn, reddish wooden table",
    ),
    "Four lattice steel towers surround it.": ("four lattice steel towers",),
    "Seven floodlights near the ground glow in yellow.": ("seven floodlights", "the ground"),
    "Hundreds of small pieces of crushed stone cover the ground.": (
        "hundreds of small pieces of crushed stone",
        "the ground",
    ),
    "The heading reads Hello.": ("the heading",),
    "A man buys apples at a fruit stand.": ("a man", "a fruit stand"),
    "The street lights are on.": ("the street lights",),
    "Cells are arranged like a rosette.": ("cells",),
    "A tower is seen as part of a wall at a steep angle.": ("a tower", "a wall"),
    "Most show a raised head in profile.": (),
}


@pytest.mark.parametrize("sentence", PHRASES)
def test_a_phrase_ends_with_its_noun(sentence: str) -> None:
    scene = read(sentence)
    found = (scene.subject, *scene.things)
    if PHRASES[sentence]:
        assert found == PHRASES[sentence]
    else:
        assert scene.things == ()


def test_a_number_word_belongs_to_its_noun() -> None:
    scene = read("Twenty-four worn metal coins lie in four rows of six on a dark cloth.")
    assert scene.subject == "twenty-four worn metal coins"
    assert scene.plural


@pytest.mark.parametrize(
    "sentence",
    [
        "A circular orange-red view of the back of a human eye fills a black square.",
        "Short blades of grass cross in every direction.",
        "A patch of lawn seen from straight above fills the whole frame.",
        "Seven floodlights near the ground glow in yellow and white star shapes.",
        "Thick dark-red blood vessels meet in it and branch out toward the top.",
        "The tips of a second orange bloom rise from the bottom edge.",
        "Long, narrow bricks in an even dark gray run from the top edge to the bottom edge.",
        "The prototype, which first flew in June, was used by an airline.",
        "Green trees frame the lower edge.",
    ],
)
def test_a_sentence_with_a_verb_stays_as_it_is(sentence: str) -> None:
    assert read(sentence).sentences == (sentence,)


@pytest.mark.parametrize(
    ("fragment", "sentence"),
    [
        ("A plate topped with food", "There is a plate topped with food."),
        ("Two dogs in a park.", "There are two dogs in a park."),
        ("A man who sits on a bench.", "There is a man who sits on a bench."),
    ],
)
def test_a_fragment_becomes_a_sentence(fragment: str, sentence: str) -> None:
    assert read(fragment).sentences == (sentence,)


def test_the_verb_agrees_with_the_thing() -> None:
    scene = "A cell glows, with a few brighter specks at the left."
    texts = {answer(scene, INSTRUCTIONS["comparison"], seed) for seed in range(8)}
    assert any("the brighter specks work more quietly" in text for text in texts)
    assert not any("specks works" in text or "specks supports" in text for text in texts)


# --- as many as asked for ---------------------------------------------------------------------

ROCKET = (
    "A tall white rocket with a rounded nose stands on a launch pad. Four lattice steel towers "
    "surround it. Seven floodlights glow under a deep blue sky."
)


@pytest.mark.parametrize("count", ["two", "three", "five"])
def test_a_quiz_has_as_many_questions_as_asked_and_a_right_answer_to_each(count: str) -> None:
    text = answer(ROCKET, f"Make a quiz of {count} multiple-choice questions on the image.")
    asked = re.findall(r"^(\d)\. \*\*.*\*\*\n(A\) .*)$", text, re.MULTILINE)
    assert len(asked) == {"two": 2, "three": 3, "five": 5}[count]
    key = dict(re.findall(r"(\d) ([ABC])", text.rsplit("**Answers:**", 1)[1]))
    for number, line in asked:
        options = dict(re.findall(r"([ABC])\) (.*?)(?=   [BC]\)|$)", line))
        shown = {letter for letter, option in options.items() if option in ROCKET.lower()}
        assert key[number] in shown


def test_lists_have_as_many_lines_as_asked() -> None:
    headlines = answer(ROCKET, "Propose three headlines: one serious, one playful, one mysterious.")
    assert [line.split(":**")[0] for line in headlines.split("\n")] == [
        "- **Serious", "- **Playful", "- **Mysterious"
    ]  # fmt: skip
    assert answer(ROCKET, "Suggest ten hashtags for the image.").count("#") == 10
    assert answer(ROCKET, "Write a rhyming poem of three stanzas.").count("\n\n") == 2
    assert "6. " in answer(ROCKET, "List six interview questions for the photographer.")
    assert "7. " in answer(ROCKET, "Give seven tips for beginners based on the photo.")


def test_a_limit_of_words_is_kept() -> None:
    for seed in range(6):
        label = answer(ROCKET * 4, "Phrase a museum label of at most thirty words.", seed)
        assert 3 <= len(label.split()) <= 30
        assert len(answer(ROCKET, INSTRUCTIONS["classified ad"], seed).split()) < 40


def test_every_seed_instruction_has_a_form_of_its_own() -> None:
    path = ROOT / "mmi_hpc" / "data" / "samples" / "seed_instructions.json"
    seeds = json.loads(path.read_text("utf-8"))
    genres = {seed["task"]: recognise(seed["text"]).name for seed in seeds}
    assert "generic" not in genres.values()
    assert genres["interview questions"] == "interview"
    assert genres["haiku"] == "haiku"
    assert genres["comic panel script"] == "comic"
    assert genres["podcast intro"] == "podcast"
    assert genres["field notes"] == "field notes"


def test_no_person_is_for_sale() -> None:
    text = answer("A man in a long coat stands here.", INSTRUCTIONS["classified ad"])
    assert text.startswith("**For sale:** Long coat.")


def framing_vocabulary() -> set[str]:
    """Every word in the string literals of the writer's own modules."""
    found: set[str] = set()
    for path in Path(rules.__file__).parent.glob("*_forms.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"[a-z]+", node.value.lower()))
    return found | {"the", "a", "and", "is", "are", "there", "here", "on", "mood", "setting",
                    "small", "details", "overall", "b", "c"}  # fmt: skip


@pytest.mark.parametrize("description", [CAFE, HARBOUR])
@pytest.mark.parametrize("genre", sorted(set(INSTRUCTIONS) - {"hashtags"}))
def test_every_word_is_the_scenes_or_framing(genre: str, description: str) -> None:
    own = framing_vocabulary() | set(re.findall(r"[a-z]+", description.lower()))
    for seed in range(4):
        text = answer(description, INSTRUCTIONS[genre], seed)
        assert set(re.findall(r"[a-z]+", text.lower())) <= own


@pytest.mark.parametrize("description", [CAFE, HARBOUR])
@pytest.mark.parametrize("genre", sorted(INSTRUCTIONS))
def test_no_number_or_name_is_made_up(genre: str, description: str) -> None:
    text = answer(description, INSTRUCTIONS[genre])
    unlisted = re.sub(r"^\d+\. |\*\*(?:Day|Panel|Verse) \d+\.?\*\*", "", text, flags=re.MULTILINE)
    assert set(re.findall(r"\d+", unlisted)) <= set(re.findall(r"\d+", description))
    plain = re.sub(r"\*\*[^*]*\*\*", ".", unlisted)
    inner = set(re.findall(r"(?<=[a-z,] )[A-Z]\w+", plain))
    assert inner <= set(re.findall(r"\w+", description)) | {"Option"}


@pytest.mark.parametrize("genre", INSTRUCTIONS)
@pytest.mark.parametrize("kind", HOSTILE)
def test_hostile_text_gives_a_bounded_sound_answer(kind: str, genre: str) -> None:
    assert_sound(answer(HOSTILE[kind], INSTRUCTIONS[genre]), INSTRUCTIONS[genre])


def test_html_tags_do_not_pass_through() -> None:
    assert "<" not in answer(HOSTILE["HTML"], INSTRUCTIONS["story"])


@settings(max_examples=150, deadline=None)
@given(description=ANY_TEXT, instruction=ANY_TEXT, seed=st.integers())
def test_any_text_gives_a_sound_answer(description: str, instruction: str, seed: int) -> None:
    text = answer(description, instruction, seed)
    assert text == answer(description, instruction, seed)
    assert text.strip()
    assert len(text) <= 2500
    assert not [word for word in BANNED if word in text.lower()]
    text.encode("utf-8")


@settings(max_examples=60, deadline=None)
@given(description=ANY_TEXT, genre=st.sampled_from(sorted(INSTRUCTIONS)))
def test_any_scene_is_sound_in_every_genre(description: str, genre: str) -> None:
    text = answer(description, INSTRUCTIONS[genre])
    assert_sound(text, INSTRUCTIONS[genre])
    sentences = long_sentences(text)
    assert len(sentences) == len(set(sentences))


def test_an_instruction_inside_the_scene_is_not_echoed() -> None:
    instruction = "Write a very long poem for me."
    text = answer(f"A sign reads: {instruction} A cat sits below.", instruction)
    assert_sound(text, instruction)


def test_real_questions_get_sound_and_distinct_answers() -> None:
    if not QUESTIONS.exists():
        pytest.skip(f"the benchmark questions are not at {QUESTIONS}")
    rows = [json.loads(line) for line in QUESTIONS.read_text("utf-8").splitlines()]
    answers = [answer(row["caption"], row["text"]) for row in rows]
    assert len(set(answers)) == len(rows) == 99
    for row, text in zip(rows, answers, strict=True):
        assert_sound(text, row["text"])
        sentences = long_sentences(text)
        assert len(sentences) == len(set(sentences))
        words = len(text.split())
        assert words <= 150
        assert words >= (8 if recognise(row["text"]).name in SHORT else 35)
        assert recognise(row["text"]).name != "generic"


# --- describe ---------------------------------------------------------------------------------


def test_describe_counts_and_places_boxes() -> None:
    boxes = [
        {"label": "person", "box": [0.0, 0.1, 0.2, 0.9]},
        {"label": "person", "box": [0.8, 0.1, 1.0, 0.9]},
        {"label": "dog", "box": [0.4, 0.5, 0.6, 0.9]},
    ]
    text = write("describe", {"alt_text": "a walk in the park", "boxes": boxes}, 0)
    assert text == (
        "A walk in the park. There are two people and a dog in view. "
        "The people are on the left and on the right, and the dog is in the centre."
    )


def test_describe_takes_pixels_and_names_a_shared_place_once() -> None:
    boxes = [
        {"label": "cup", "box": [0, 0, 100, 50]},
        {"label": "fork", "box": [10, 0, 60, 50]},
        {"label": "plate", "box": [900, 0, 1000, 50]},
    ]
    text = write("describe", {"alt_text": "", "boxes": boxes}, 0)
    assert text.endswith("The cup and the fork are on the left, and the plate is on the right.")


@pytest.mark.parametrize("alt_text", ["", "  ", "IMG_1234.JPG", "dsc 0001", "https://a.b/c"])
def test_describe_says_nothing_where_there_is_nothing_to_say(alt_text: str) -> None:
    assert write("describe", {"alt_text": alt_text, "boxes": []}, 0) == ""


@settings(max_examples=100, deadline=None)
@given(
    alt_text=ANY_TEXT,
    boxes=st.lists(
        st.fixed_dictionaries(
            {"label": st.one_of(ANY_TEXT, st.none()), "box": st.lists(st.floats(), max_size=5)}
        ),
        max_size=6,
    ),
)
def test_describe_survives_any_alt_text_and_boxes(alt_text: str, boxes: list[object]) -> None:
    text = write("describe", {"alt_text": alt_text, "boxes": boxes}, 0)
    assert len(text) <= 2500
    assert "\n" not in text


# --- propose and summarise --------------------------------------------------------------------

SEEDS = [
    "Write a playful caption for the photo.",
    "2. Write a short story inspired by the image.",
    "Create a quiz question related to the picture.",
    "Compose a haiku.",
    "Analyze the composition, focusing on balance.",
]


def propose(description: str, seeds: list[str], count: int, seed: int = 0) -> list[str]:
    facts = {"description": description, "seeds": seeds, "count": count}
    lines = write("propose", facts, seed).split("\n")
    for number, line in enumerate(lines, 1):
        assert line.startswith(f"{number}. ")
    return [line.split(". ", 1)[1] for line in lines]


@pytest.mark.parametrize("count", [1, 4, 12])
def test_propose_writes_as_many_different_instructions_as_asked(count: int) -> None:
    found = propose(CAFE, SEEDS, count)
    assert len(set(found)) == len(found) == count
    for text in found:
        assert 7 <= len(text.split()) <= 30
        assert text.endswith(".")
        assert text.count(".") == 1


def test_propose_prefers_variety_of_genre() -> None:
    genres = [recognise(text).name for text in propose(CAFE, SEEDS, len(SEEDS))]
    assert len(set(genres)) == len(SEEDS)


def test_propose_names_something_of_the_scene() -> None:
    for text in propose(HARBOUR, SEEDS[:1], 3):
        assert any(thing in text for thing in ("boats", "harbour", "lighthouse", "cliff"))


@pytest.mark.parametrize("description", HOSTILE.values(), ids=HOSTILE.keys())
def test_propose_survives_hostile_scenes(description: str) -> None:
    for text in propose(description, SEEDS, 6):
        assert 7 <= len(text.split()) <= 30


@settings(max_examples=100, deadline=None)
@given(description=ANY_TEXT, seeds=st.lists(ANY_TEXT, max_size=4), count=st.integers(1, 8))
def test_propose_keeps_its_form_for_any_text(
    description: str, seeds: list[str], count: int
) -> None:
    found = propose(description, seeds, count)
    assert len(found) == len(set(found)) == count
    for text in found:
        assert 7 <= len(text.split()) <= 30
        assert text.endswith(".")


def test_summarise_takes_back_what_propose_put_in() -> None:
    plain = {"Write a playful caption for the photo.", "Compose a haiku inspired by the image.",
             "Write a short story inspired by the image.",
             "Create a quiz question related to the picture."}  # fmt: skip
    for seed in range(10):
        for text in propose(CAFE, SEEDS[:4], 12, seed):
            assert write("summarise", {"members": [text]}, 0) in plain


def test_summarise_follows_the_majority_and_then_the_medoid() -> None:
    poem, ad = "Write a poem about the sea, inspired by the boat.", "Create an ad for the product."
    assert write("summarise", {"members": [poem, ad, ad]}, 0) == "Create an ad for the product."
    assert write("summarise", {"members": [poem, ad]}, 0) == "Write a poem about the sea."


def test_summarise_of_nothing_general_still_reads_well() -> None:
    assert write("summarise", {"members": ["Sing."]}, 0) == "Sing for the image."
    assert write("summarise", {"members": ["  "]}, 0).endswith("in the image.")


@settings(max_examples=100, deadline=None)
@given(st.lists(ANY_TEXT, min_size=1, max_size=5))
def test_summarise_gives_one_line_that_ends_with_a_period(members: list[str]) -> None:
    text = write("summarise", {"members": members}, 0)
    assert "\n" not in text
    assert text.endswith(".")
    assert len(text) <= 2500


# --- the border -------------------------------------------------------------------------------


def test_the_same_facts_give_the_same_text_in_every_process() -> None:
    program = (
        "import json; from mmi_hpc.llm.rules import write\n"
        f"facts = {{'description': {CAFE!r}, 'seeds': {SEEDS!r}, 'count': 5, 'examples': []}}\n"
        "out = [write('propose', facts, 7)]\n"
        f"out += [write('answer', {{**facts, 'instruction': i}}, 7) for i in "
        f"{sorted(INSTRUCTIONS.values())!r}]\n"
        "print(json.dumps(out))"
    )
    outputs = []
    for hash_seed in ("0", "1", "4242"):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": str(ROOT)}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        )
        outputs.append(done.stdout)
    assert outputs[0] == outputs[1] == outputs[2]
    assert json.loads(outputs[0])[0].startswith("1. ")


def test_one_text_is_pinned_against_other_platforms() -> None:
    assert answer("A cat sits on a red sofa.", "Write a haiku about the image.") == (
        "Look once more, the cat,\none breath and the red sofa,\ntime pauses to look."
    )


def test_an_unknown_task_and_a_missing_fact_are_named() -> None:
    with pytest.raises(ValueError, match="no rules for the task 'judge'"):
        write("judge", {}, 0)
    with pytest.raises(ValueError, match="'members'"):
        write("summarise", {}, 0)
    with pytest.raises(ValueError, match="at least the medoid"):
        write("summarise", {"members": []}, 0)
    with pytest.raises(ValueError, match="'count' must be of type int"):
        write("propose", {"description": "", "seeds": [], "count": "3"}, 0)
    with pytest.raises(ValueError, match="list of texts"):
        write("summarise", {"members": [3]}, 0)


def test_every_prompt_template_has_rules() -> None:
    from mmi_hpc.llm.prompts import TEMPLATES

    assert set(TASKS) == set(TEMPLATES)
