"""python -m mmi_hpc.bench TASK --vs LIBRARIES: our kernels beside others, measured together."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mmi_hpc.cli import console, errors_are_sentences
from mmi_hpc.errors import ConfigError

app = typer.Typer(
    no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, help=__doc__
)
Shapes = Annotated[str, typer.Option(help="paper, full (paper and more), or tiny (seconds)")]
Versus = Annotated[
    str, typer.Option(help="faiss,torch,torch-bf16,numpy,sklearn,sklearnex,usearch; '' for none")
]
Data = Annotated[
    str, typer.Option(help="embedding, isotropic, clustered, adversarial, or text (see --texts)")
]
Texts = Annotated[
    list[Path] | None,
    typer.Option(help="files or folders with texts; again for more; or in MMI_BENCH_TEXTS"),
]
Isa = Annotated[
    str, typer.Option(help="also ours held to these: amx,avx512,avx2,scalar; avx2 holds faiss too")
]
Only = Annotated[str, typer.Option(help="only shapes whose name holds this, e.g. 20000x300")]
Rounds = Annotated[int, typer.Option(min=1, help="runs of each competitor, in turn")]
Threads = Annotated[int | None, typer.Option(min=1, help="threads of each competitor")]
Out = Annotated[Path, typer.Option(help="folder for JSON and pictures")]
Json = Annotated[bool, typer.Option("--json", help="print JSON; no table and no pictures")]
_OUT = Path("benchmarks/results")
_PAUSE = 0.3
_WIDE = 260


@app.command()
@errors_are_sentences
def topk(
    shapes: Shapes = "paper",
    vs: Versus = "faiss,torch,sklearn,sklearnex,numpy",
    data: Data = "embedding",
    texts: Texts = None,
    isa: Isa = "",
    only: Only = "",
    rounds: Rounds = 5,
    threads: Threads = None,
    out: Out = _OUT,
    as_json: Json = False,
) -> None:
    """Find the k best bank rows of every query, by cosine."""
    _bench("topk", shapes, vs, data, texts, isa, only, rounds, threads, out, as_json)


@app.command()
@errors_are_sentences
def kmeans(
    shapes: Shapes = "paper",
    vs: Versus = "faiss,torch-bf16,sklearn,sklearnex",
    data: Data = "embedding",
    texts: Texts = None,
    isa: Isa = "",
    only: Only = "",
    rounds: Rounds = 5,
    threads: Threads = None,
    out: Out = _OUT,
    as_json: Json = False,
) -> None:
    """Run Lloyd's algorithm from given centroids, by cosine and by Euclidean distance."""
    _bench("kmeans", shapes, vs, data, texts, isa, only, rounds, threads, out, as_json)


@app.command("near_duplicates")
@errors_are_sentences
def near_duplicates(
    shapes: Shapes = "paper",
    vs: Versus = "faiss",
    data: Data = "embedding",
    texts: Texts = None,
    isa: Isa = "",
    only: Only = "",
    rounds: Rounds = 5,
    threads: Threads = None,
    out: Out = _OUT,
    as_json: Json = False,
) -> None:
    """List all pairs of rows with a cosine of at least 0.95."""
    _bench("near_duplicates", shapes, vs, data, texts, isa, only, rounds, threads, out, as_json)


@app.command("table")
@errors_are_sentences
def markdown_tables(
    files: Annotated[list[Path], typer.Argument(help="results, e.g. benchmarks/results/topk.json")],
) -> None:
    """Print results as Markdown."""
    from mmi_hpc.bench.report import markdown
    from mmi_hpc.files import load_json

    documents = [document for file in files if "rows" in (document := load_json(file))]
    if not documents:
        raise ConfigError("None of these files holds results of mmi_hpc.bench.")
    sys.stdout.write("\n".join(markdown(document) for document in documents))


def _bench(
    task: str,
    table: str,
    vs: str,
    data: str,
    texts: list[Path] | None,
    isa: str,
    only: str,
    rounds: int,
    threads: int | None,
    out: Path,
    as_json: bool,
) -> None:
    from mmi_hpc.bench.measure import Method
    from mmi_hpc.bench.peers import entries
    from mmi_hpc.bench.session import Plan, run
    from mmi_hpc.bench.shapes import shapes
    from mmi_hpc.bench.texts import VARIABLE, named_files
    from mmi_hpc.bench.texts import Texts as Sentences
    from mmi_hpc.kernels.inputs import check_threads

    quick = table == "tiny"
    chosen = shapes(task, table, only)
    rows = entries(task, _names(vs), _names(isa))
    sentences = None
    if data == "text":
        files = named_files(texts or [])
        if not files:
            _say(f"skipped: --data text needs texts. Name them with --texts or in {VARIABLE}.")
            return
        sentences = Sentences(files)
    method = Method(check_threads(threads), rounds, _PAUSE / 10 if quick else _PAUSE)
    plan = Plan(task, chosen, rows, data, sentences, method, quick)
    path = out / (f"{task}.json" if data == "embedding" else f"{task}-{data}.json")
    document = run(plan, path, _say)
    if as_json:
        sys.stdout.write(path.read_text())
    else:
        _show(document, path)


def _show(document: dict[str, Any], path: Path) -> None:
    from mmi_hpc.bench.report import heading, table
    from mmi_hpc.bench.roofline import draw

    screen = console()
    if not sys.stdout.isatty():
        screen.width = _WIDE  # in a file the notes stay in their lines
    for line in heading(document):
        screen.print(line)
    screen.print(table(document))
    try:
        pictures = draw(document, path.with_suffix(""))
    except ImportError as error:
        screen.print(f"no picture: matplotlib is not installed ({error}).")
        pictures = []
    screen.print("written: " + ", ".join(str(file) for file in [path, *pictures]))


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _say(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    """Entry point."""
    app()


if __name__ == "__main__":
    main()
