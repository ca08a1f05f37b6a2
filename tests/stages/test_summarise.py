"""Final instructions: one tidy line of a reply, and how clusters are cut into shards."""

from __future__ import annotations

import pytest

from mmi_hpc.stages.summarise import cut_rows, first_line


@pytest.mark.parametrize(
    ("reply", "line"),
    [
        ("Write a poem.", "Write a poem."),
        ('\n\n "Write a poem."\nIt is a good one.', "Write a poem."),
        ("1. Write a poem.", "Write a poem."),
        ("3D-print a model of the scene.", "3D-print a model of the scene."),
        ("5 facts about the animal, as a list.", "5 facts about the animal, as a list."),
        ("- **Write a poem.**", "Write a poem."),
        ("***\n---\n42.\nWrite a poem.", "Write a poem."),
        ("<image>Write a poem.\x00", "Write a poem."),
        ("", ""),
        (" \n\t\n", ""),
    ],
)
def test_the_first_line_that_says_something_is_the_final_instruction(reply: str, line: str) -> None:
    assert first_line(reply) == line


def test_rows_are_cut_into_consecutive_shards() -> None:
    assert cut_rows(0, 5) == []
    assert cut_rows(5, 5) == [{"start": 0, "rows": 5}]
    assert cut_rows(11, 5) == [
        {"start": 0, "rows": 5},
        {"start": 5, "rows": 5},
        {"start": 10, "rows": 1},
    ]
