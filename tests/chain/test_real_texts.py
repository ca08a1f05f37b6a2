"""Published captions, text only, through propose .. export with the rules writer."""

from __future__ import annotations

import json

import pytest

from mmi_hpc.screening import MEANINGS

SOURCES = {
    "coco": (
        "coco_caps_boxes/first50.jsonl",
        ("ingest.source.fields={id: id, image: image, description: captions, boxes: instances}",),
        50,
    ),
    "mm_instruct": (
        "mm_instruct_eval/questions.jsonl",
        ("ingest.source.fields={id: question_id, image: image, description: caption}",),
        99,
    ),
}


@pytest.mark.parametrize("name", SOURCES)
def test_published_captions_become_records(chain, shared_data, name):
    path, fields, count = SOURCES[name]
    if not (shared_data / path).exists():
        pytest.skip(f"the published data {path} is not at {shared_data}")
    output = chain.done(
        f"name={name}",
        "ingest.source={kind: jsonl, path: '" + str(shared_data / path) + "'}",
        *fields,
        "cluster.k=30",
        "match.per_image=1",
        "export.images=none",
        "shard_rows=25",
    )
    assert "failed" not in output
    files = chain.export(name)
    records = json.loads(files["llava.json"])
    # One answer per caption; a few may be left out by the screens, and the ledger says which.
    assert 0.9 * count <= len(records) <= count
    captions = [json.loads(line) for line in (shared_data / path).read_text().splitlines()]
    assert {record["image"] for record in records} <= {caption["image"] for caption in captions}
    provenance = [json.loads(line) for line in files["provenance.jsonl"].splitlines()]
    assert all(set(line["flags"]) <= set(MEANINGS) for line in provenance)
    used = {line["instruction_id"] for line in provenance}
    assert len(used) > 10
