"""Photos that come twice: flagged where they come again, and left out only where that is asked."""

from __future__ import annotations

import json

import pytest

from mmi_hpc.data import samples
from mmi_hpc.data.records import Duplicate
from mmi_hpc.engine.run import find
from mmi_hpc.stages.duplicates import Duplicates

FIRST, AGAIN = "b-first.png", "d-again.png"


@pytest.fixture
def settings(tmp_path):
    """Four photos of which the last is the second once more, with the same description."""
    folder = tmp_path / "photos"
    folder.mkdir()
    one, two, three = samples.photos()[:3]
    for name, photo in (("a.png", one), (FIRST, two), ("c.png", three), (AGAIN, two)):
        (folder / name).write_bytes(samples.photo_bytes(photo))
        (folder / name).with_suffix(".txt").write_text(photo.description)
    return (
        "name=copies",
        "ingest.source={kind: folder, path: '" + str(folder) + "'}",
        "cluster.k=6",
        "site.workers=1",
    )


def provenance(chain):
    """The exported answers of each image."""
    found = {}
    for line in chain.export("copies")["provenance.jsonl"].splitlines():
        answer = json.loads(line)
        found.setdefault(answer["image_id"], []).append(answer)
    return found


def test_a_photo_that_comes_again_is_flagged_and_left_out_where_that_is_asked(chain, settings):
    chain.done(*settings, "shard_rows=3")
    folder = find(chain.root / "copies").opened("duplicates")
    rows = list(Duplicates.output.read(folder.output_path(0)))
    assert rows == [Duplicate(AGAIN, FIRST, 1.0)]
    answers = provenance(chain)
    assert set(answers) == {"a.png", FIRST, "c.png", AGAIN}
    for image, lines in answers.items():
        assert {"duplicate" in line["flags"] for line in lines} == {image == AGAIN}
        assert {line["scores"].get("duplicate") for line in lines} == {
            1.0 if image == AGAIN else None
        }
    manifest = json.loads(chain.export("copies")["manifest.json"])
    assert manifest["flags"]["duplicate"] == len(answers[AGAIN])
    assert "duplicate" not in manifest["excluded_flags"]
    page = (chain.root / "copies" / "report" / "index.html").read_text()
    assert "its image nearly equals an earlier one of the collection" in page

    output = chain.done(*settings, "shard_rows=3", "export.exclude=[empty, parse, duplicate]")
    assert set(provenance(chain)) == {"a.png", FIRST, "c.png"}
    again = [line.split()[0] for line in output.splitlines() if line.split()[1:2] == ["run"]]
    assert again == ["export"]


def test_shards_and_workers_do_not_matter_to_what_is_flagged(chain, settings):
    chain.done(*settings, "shard_rows=500")
    expected = chain.export("copies")
    chain.done(*settings, "shard_rows=1", "site.workers=3")
    assert chain.export("copies") == expected
