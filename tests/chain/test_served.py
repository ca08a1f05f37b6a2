"""Every language-model stage through a real HTTP server, with the launch killed on the way."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import zlib
from pathlib import Path

import pytest
from fault_server import completion

from mmi_hpc.engine.run import find

KEY = "secret-key-0123456789"
STAGES = ("describe", "propose", "summarise", "exemplify", "answer")
KILLS = 4
CONCURRENCY = 4
VERBS = ("Write a short story about", "Draft a letter inspired by", "Compose a poem about")


def reply(request):
    """Plausible texts that follow from the request alone, after a moment of thought."""
    time.sleep(0.05)
    content = request.user
    if isinstance(content, list):
        image = content[0]["image_url"]["url"].encode()
        return completion(f"A plain photo number {zlib.crc32(image) % 997} of a quiet street.")
    mark = zlib.crc32(content.encode())
    if "numbered list" in content:
        lines = [f"{n + 1}. {verb} the image number {mark % 91}." for n, verb in enumerate(VERBS)]
        return completion("\n".join(lines))
    if "instruction" in request.body["messages"][0]["content"].lower() and "1." in content:
        return completion(f"{VERBS[mark % 3]} what number {mark % 89} in the image brings to mind.")
    return completion(f"A street lies quiet under a wide sky, and answer {mark} says so plainly.")


@pytest.fixture
def settings(server):
    server.script = reply
    llm = (
        f"{{engine: openai, model: served, base_url: '{server.base_url}', "
        f"api_key_env: CHAIN_TEST_KEY, concurrency: {CONCURRENCY}}}"
    )
    return (
        "name=served",
        "describe.by=llm",
        *(f"{stage}.llm={llm}" for stage in STAGES),
        "cluster.k=6",
        "propose.per_image=3",
        "site.workers=2",
        "site.beat_seconds=0.2",
        "site.stale_seconds=3",
    )


def group_kill(process):
    """Kill a launch with all its workers, as a power cut does."""
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def test_no_recorded_reply_is_asked_for_again_and_the_key_stays_secret(
    chain, server, settings, monkeypatch
):
    monkeypatch.setenv("CHAIN_TEST_KEY", KEY)
    for kill in range(1, KILLS + 1):
        asked = len(server.received)
        process = subprocess.Popen(
            chain.command(*settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=chain.environment(),
            start_new_session=True,
        )
        limit = time.monotonic() + 60
        while len(server.received) < asked + 6 * kill and process.poll() is None:
            assert time.monotonic() < limit, "the server was not asked"
            time.sleep(0.01)
        assert KEY not in command_lines(process.pid)
        group_kill(process)
    chain.done(*settings)

    bodies = [json.dumps(request.body, sort_keys=True) for request in server.received]
    assert len(bodies) - len(set(bodies)) <= KILLS * CONCURRENCY * 2
    assert {request.headers["authorization"] for request in server.received} == {f"Bearer {KEY}"}
    assert any(isinstance(request.user, list) for request in server.received)

    files = chain.export("served")
    records = json.loads(files["llava.json"])
    assert len(records) >= 40
    provenance = [json.loads(line) for line in files["provenance.jsonl"].splitlines()]
    assert {line["model"] for line in provenance} == {"served-model"}
    assert {line["engine"] for line in provenance} == {"openai"}
    assert json.loads(files["manifest.json"])["written_without_a_model"] is False

    asked = len(server.received)
    chain.done(*settings, "answer.examples=1", "match.per_image=2")
    again = server.received[asked:]
    # Only answers change: what the other stages were told is on record.
    assert again
    assert not any(isinstance(request.user, list) for request in again)

    for path in chain.root.rglob("*"):
        if path.is_file():
            assert KEY.encode() not in path.read_bytes(), path


def command_lines(pid):
    """Command lines of a process and its children."""
    found = []
    for number in (pid, *children(pid)):
        try:
            found.append(Path(f"/proc/{number}/cmdline").read_text())
        except OSError:
            continue
    return "\n".join(found)


def children(pid):
    """Processes started by `pid`."""
    try:
        return [int(c) for c in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


def wait_until(condition, seconds=60):
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited in vain"
        time.sleep(0.01)


def test_a_worker_paused_while_it_records_replies_does_not_change_the_export(
    chain, server, tmp_path
):
    server.script = reply
    answers = (
        f"answer.llm={{engine: openai, model: m, base_url: '{server.base_url}', concurrency: 2}}"
    )
    settings = (answers, "shard_rows=500", "site.beat_seconds=0.2", "site.stale_seconds=2")
    undisturbed = type(chain)(tmp_path / "undisturbed")
    undisturbed.done(*settings, "site.workers=1")

    asked = len(server.received)
    process = subprocess.Popen(
        chain.command(*settings, "site.workers=1"),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=chain.environment(),
        start_new_session=True,
    )
    wait_until(lambda: len(server.received) > asked)
    group_kill(process)
    run = find(chain.root / "quickstart")
    folder = run.opened("answer")
    worker = [sys.executable, "-m", "mmi_hpc.engine.worker", str(run.path)]

    first = subprocess.Popen(worker, env=chain.environment(), stderr=subprocess.DEVNULL)
    own = folder.path / "replies" / "00000.1.jsonl"
    wait_until(lambda: own.exists() and own.stat().st_size > 0)
    first.send_signal(signal.SIGSTOP)
    second = subprocess.run(worker, env=chain.environment(), stderr=subprocess.DEVNULL)
    assert second.returncode == 0
    assert folder.marker(0).attempt == 2
    expected = undisturbed.export()
    chain.done(*settings, "site.workers=1")
    assert chain.export() == expected
    first.send_signal(signal.SIGCONT)
    assert first.wait(60) == 0
    assert folder.marker(0).attempt == 2
    assert chain.export() == expected
