"""docs/architecture.md tells the truth about imports."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "mmi_hpc"


def room(module):
    return module.split(".")[1]


def imported(path):
    """Modules of ours that a file imports, anywhere in it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module == "mmi_hpc":
            yield from (f"mmi_hpc.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def real_edges():
    edges = set()
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        for module in imported(path):
            if module.startswith("mmi_hpc.") and room(module) not in (parts[0], "__version__"):
                edges.add((parts[0], room(module)))
    return edges


def drawn_edges():
    text = (ROOT / "docs" / "architecture.md").read_text()
    diagram = re.search(r"```mermaid\n(.*?)```", text, re.DOTALL).group(1)
    return set(re.findall(r"(\w+) --> (\w+)", diagram))


def test_the_diagram_shows_the_real_imports():
    assert drawn_edges() == real_edges()


def test_imports_have_no_cycle():
    below = {}
    for source, target in real_edges():
        below.setdefault(source, set()).add(target)

    def reach(start):
        found, todo = set(), list(below.get(start, ()))
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo += below.get(name, ())
        return found

    assert [name for name in below if name in reach(name)] == []


def test_the_stage_table_lists_every_stage_with_what_it_reads():
    from mmi_hpc.stages import STAGES

    text = (ROOT / "docs" / "architecture.md").read_text()
    rows = re.findall(r"^\| (\w+) \| (?:map|reduce)", text, re.MULTILINE)
    assert rows == list(STAGES)


def test_the_commands_import_nothing_heavy():
    heavy = "{'torch', 'open_clip', 'transformers', 'sentence_transformers', 'h5py'}"
    script = (
        "import sys, mmi_hpc.launch, mmi_hpc.__main__, mmi_hpc.stages\n"
        "mmi_hpc.stages.settings_class()\n"
        f"found = {heavy} & set(sys.modules)\n"
        "assert not found, found\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
