"""python -m mmi_hpc.bench, from the command to its files."""

from __future__ import annotations

import json

import pytest
from bench_results import rows_of

WRONG_FAISS = """
import numpy as np
def omp_set_num_threads(threads): pass
class IndexFlatIP:
    def __init__(self, d): pass
    def add(self, bank): self.bank = bank
    def search(self, queries, k):
        scores = queries @ self.bank.T
        indices = np.argsort(-scores, axis=1)[:, :k].astype(np.int64)
        indices[::2, 0] = indices[::2, 1]  # every other list is wrong
        return np.take_along_axis(scores, indices, 1), indices
"""
BLOCKED_FAISS = "raise ImportError('blocked for a test')"
DEADLY_FAISS = "import os, signal; os.kill(os.getpid(), signal.SIGKILL)"


def test_topk_writes_what_a_reader_needs_to_judge_the_numbers(bench):
    document = bench.measured("topk", "--vs", "numpy")
    assert {"date", "source", "kernels", "machine", "versions", "peaks"} <= set(document)
    assert document["versions"]["numpy"]
    assert document["peaks"]["copy"] > 0
    assert len(rows_of(document, "numpy")) == 2
    for row in rows_of(document, "mmi_hpc") + rows_of(document, "numpy"):
        assert len(row["seconds"]) == 2
        assert row["median_seconds"] >= row["min_seconds"] > 0
        assert row["gflops"] > 0
        assert row["times_ours"] > 0
        assert row["extra_bytes"] >= 0
        assert row["exact_match"] == 1
    assert all(row["packing_seconds"] is None for row in rows_of(document, "numpy"))


def test_the_pictures_are_drawn(bench):
    pytest.importorskip("matplotlib")
    bench.measured("near_duplicates", "--vs", "")
    assert (bench.out / "near_duplicates.svg").read_text().startswith("<?xml")
    assert (bench.out / "near_duplicates.png").read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_there_is_a_sentence_in_place_of_pictures(bench):
    bench.library("matplotlib", "raise ImportError('blocked for a test')")
    done = bench.run("near_duplicates", "--shapes", "tiny", "--vs", "", "--out", bench.out)
    assert done.returncode == 0, done.stderr
    assert "no picture: matplotlib is not installed (blocked for a test)." in done.stdout
    assert [path.name for path in bench.out.iterdir()] == ["near_duplicates.json"]


def test_a_missing_peer_is_a_row_with_the_reason(bench):
    bench.library("faiss", BLOCKED_FAISS)
    document = bench.measured("topk", "--vs", "faiss,numpy", "--only", "200x300")
    (row,) = rows_of(document, "faiss")
    assert row["reason"] == (
        "faiss is not installed here (blocked for a test): pip install faiss-cpu"
    )
    assert "gflops" not in row
    assert rows_of(document, "numpy")[0]["exact_match"] == 1


def test_a_peer_that_kills_its_process_harms_nobody_else(bench):
    bench.library("faiss", DEADLY_FAISS)
    document = bench.measured("topk", "--vs", "faiss,numpy", "--only", "200x300")
    assert rows_of(document, "faiss")[0]["reason"] == "its process was ended by SIGKILL"
    for name in ("mmi_hpc", "numpy"):
        assert len(rows_of(document, name)[0]["seconds"]) == 2


def test_wrong_lists_are_found_out(bench):
    bench.library("faiss", WRONG_FAISS)
    document = bench.measured("topk", "--vs", "faiss", "--only", "200x300")
    (wrong,) = rows_of(document, "faiss")
    assert wrong["exact_match"] == 0.5
    assert 0.85 < wrong["recall"] < 0.95
    assert rows_of(document, "mmi_hpc")[0]["exact_match"] == 1


@pytest.mark.parametrize("data", ["isotropic", "clustered", "adversarial"])
def test_our_lists_are_exact_on_all_data(bench, data):
    document = bench.measured("topk", "--vs", "", "--data", data, file=f"topk-{data}.json")
    assert [row["exact_match"] for row in rows_of(document, "mmi_hpc")] == [1, 1]


def test_kmeans_compares_like_with_like(bench):
    pytest.importorskip("sklearn")
    document = bench.measured("kmeans", "--vs", "sklearn,usearch")
    assert {row["competitor"]: row["metric"] for row in document["rows"]} == {
        "mmi_hpc": "cosine",
        "usearch": "cosine",
        "mmi_hpc euclidean": "euclidean",
        "sklearn euclidean": "euclidean",
    }
    (usearch,) = rows_of(document, "usearch")
    assert usearch["reason"] == "usearch has nothing of its own for kmeans here."
    (ours,), (theirs,) = (rows_of(document, f"{name} euclidean") for name in ("mmi_hpc", "sklearn"))
    assert ours["exact_match"] == 1
    assert theirs["exact_match"] > 0.99
    assert theirs["objective"] == pytest.approx(ours["objective"], rel=1e-4)


def test_an_instruction_set_that_the_build_lacks_is_a_row_with_the_reason(bench):
    document = bench.measured("near_duplicates", "--vs", "", "--isa", "scalar,avx2")
    for isa in ("scalar", "avx2"):
        (row,) = rows_of(document, f"mmi_hpc [{isa}]")
        assert row["environment"] == {"MMI_ISA": isa}
        assert row["reason"] or row["isa"] == isa


def test_json_alone_can_be_piped(bench):
    options = ("--shapes", "tiny", "--vs", "", "--out", bench.out, "--json")
    done = bench.run("near_duplicates", *options)
    assert json.loads(done.stdout)["task"] == "near_duplicates"
    assert [path.name for path in bench.out.iterdir()] == ["near_duplicates.json"]


def test_results_become_markdown(bench):
    document = bench.measured("near_duplicates", "--vs", "numpy")
    (bench.out / "status.json").write_text("{}")
    done = bench.run("table", bench.out / "status.json", bench.out / "near_duplicates.json")
    table = [line for line in done.stdout.splitlines() if line.startswith("|")]
    assert len(table) == 2 + len(document["rows"])
    assert len({line.count("|") for line in table}) == 1
    assert table[2].startswith("| 500x32 t=0.95 | mmi_hpc | ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--vs", "fais"), "--vs fais is not known. Use some of: faiss,torch,"),
        (("--isa", "sse"), "--isa sse is not known. Use some of: amx,avx512,avx2,scalar."),
        (("--shapes", "huge"), "--shapes huge is not known. Use paper, full or tiny."),
        (("--only", "7x7"), "--only '7x7' is in no shape. The shapes are: 20000x300 d=768 k=10;"),
        (("--data", "zeros", "--shapes", "tiny"), "--data zeros is not known. Use embedding,"),
        (("--data", "text", "--texts", "/nowhere"), "/nowhere does not exist."),
        (("--rounds", "0"), "Invalid value for '--rounds'"),
    ],
)
def test_wrong_options_end_with_a_sentence(bench, arguments, message):
    done = bench.run("topk", "--out", bench.out, *arguments)
    assert done.returncode == (2 if "--rounds" in arguments else 64)
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_text_data_is_skipped_when_no_texts_are_named(bench):
    done = bench.run("topk", "--data", "text", "--out", bench.out)
    assert done.returncode == 0
    assert "skipped: --data text needs texts." in done.stderr
    assert not bench.out.exists()
