"""How long `python -m mmi_hpc status` takes on a large run, as a whole process.

The run folder holds real files as the engine leaves them: every stage with 2,000 shards, all
stages but the last complete, the last one half done (its markers are read one by one).
Target: 0.5 s.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from mmi_hpc.engine.markers import SCHEMA, Marker, Output
from mmi_hpc.engine.run import Run, create
from mmi_hpc.engine.stage_folder import StageFolder
from mmi_hpc.files import dump_json
from mmi_hpc.stages import STAGES

RESULTS = Path(__file__).parent / "results" / "status.json"


def main() -> None:
    """Make the run, time the command, print and store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shards", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        run = make_run(Path(folder), options.shards)
        command = [sys.executable, "-m", "mmi_hpc", "status", str(run.path)]
        seconds = [timed(command) for _ in range(options.repeats + 1)][1:]
        as_json = [timed([*command, "--json"]) for _ in range(options.repeats)]
        empty = [timed([sys.executable, "-c", "pass"]) for _ in range(options.repeats)]
    rows = {"status": seconds, "status --json": as_json, "python -c pass": empty}
    print(f"{options.shards} shards in each of {len(STAGES)} stages, one stage half done")
    print(f"{'command':<16} {'min':>7} {'median':>7} {'max':>7}   (s)")
    for name, values in rows.items():
        middle = statistics.median(values)
        print(f"{name:<16} {min(values):7.3f} {middle:7.3f} {max(values):7.3f}")
    RESULTS.write_bytes(
        dump_json(
            {
                "shards": options.shards,
                "python": platform.python_version(),
                "median_seconds": {n: round(statistics.median(v), 4) for n, v in rows.items()},
            }
        )
    )


def timed(command: list[str]) -> float:
    """Wall seconds of one process."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def make_run(root: Path, shards: int) -> Run:
    """A run whose folders look as the engine leaves them."""
    config = {"name": "large", "site": {"max_attempts": 3}}
    run = create(root, config, {}, list(STAGES.items()))
    for stage in STAGES:
        folder = StageFolder(root / "store" / stage / "0123456789abcdef-500")
        folder.create({"fingerprint": "0123456789abcdef"}, [{"rows": 500}] * shards)
        last = stage == list(STAGES)[-1]
        for shard in range(shards // 2 if last else shards):
            folder.marker_path(shard).write_bytes(marker(stage, shard).encode())
        folder.summarise()
        run.adopt(stage, folder)
    return run


def marker(stage: str, shard: int) -> Marker:
    """A marker of usual size."""
    environment = {"machine": "cpu", "python": "3.11", "numpy": "2.4.6", "torch": "2.12.1"}
    rows = Output(f"out/{shard:05d}.0.jsonl", 123456, 500, "0" * 32)
    return Marker(
        SCHEMA,
        stage,
        shard,
        0,
        "0123456789abcdef",
        rows,
        None,
        0,
        1.7e9 + shard,
        2.5,
        "w",
        environment,
    )


if __name__ == "__main__":
    main()
