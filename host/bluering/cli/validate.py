"""``bluering validate``: how often a model misses its word and how often it wakes by mistake."""

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from bluering import files
from bluering.cli.extras import extra
from bluering.cli.options import AsJson
from bluering.errors import BlueRingError, ExitCode

if TYPE_CHECKING:
    from bluering.validate.report.schema import Report
    from bluering.validate.runner import Workers
    from bluering.validate.session import Prepared

_CONVERTED_NAMED = 5  # on the terminal; a whole corpus may be MP3

app = typer.Typer(
    help="Measure misses and false accepts, compare reports, gate a release.",
    context_settings={"auto_envvar_prefix": "BLUERING_VALIDATE"},
)

Models = Annotated[
    list[str] | None,
    typer.Option("--model", help="A packaged model's name or its manifest (.json); repeatable."),
]
CorpusPath = Annotated[
    Path | None,
    typer.Option("--corpus", help="A folder, a manifest.csv or a description (.toml)."),
]
Target = Annotated[
    str,
    typer.Option(
        "--target",
        help="What computes the scores: reference, virtual, virtual32, or a board's port.",
    ),
]
Conditions = Annotated[
    list[str] | None,
    typer.Option(
        "--condition",
        help="clean, near, far, KIND@SNR as tv@10, or both as far+tv@5; repeatable.",
    ),
]
Output = Annotated[
    Path,
    typer.Option("--output", "-o", metavar="REPORT", help="Writes REPORT.json and REPORT.html."),
]


class GateError(BlueRingError):
    """A release that is worse than its baseline."""


@app.callback(invoke_without_command=True)
def validate(
    context: typer.Context,
    model: Models = None,
    corpus: CorpusPath = None,
    target: Target = "reference",
    acoustic: Annotated[
        bool, typer.Option("--acoustic", help="Play through the loudspeaker to the board there.")
    ] = False,
    speaker: Annotated[
        str, typer.Option("--speaker", help="Which one: 'python -m sounddevice' lists them.")
    ] = "",
    condition: Conditions = None,
    seed: Annotated[int, typer.Option("--seed", help="Draws noises and rooms.")] = 1,
    jobs: Annotated[int, typer.Option("--jobs", min=1, help="Processes on this machine.")] = 1,
    cluster: Annotated[
        str | None, typer.Option("--cluster", metavar="tcp://HOST:PORT", help="A Dask scheduler.")
    ] = None,
    output: Output = Path("validation"),
    parts: Annotated[
        Path | None,
        typer.Option("--parts", help="Where finished parts are kept; default: REPORT.parts."),
    ] = None,
    save_false_accepts: Annotated[
        Path | None, typer.Option("--save-false-accepts", metavar="DIR", help="Cut them out.")
    ] = None,
    convert: Annotated[
        bool, typer.Option("--convert", help="Resample what isn't 16 kHz mono; else it is skipped.")
    ] = False,
    worst: Annotated[
        int, typer.Option("--worst", min=0, help="So many worst cases in the page, to listen to.")
    ] = 0,
    omit_names: Annotated[
        bool, typer.Option("--omit-names", help="Recordings by hash alone, for publishing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Measure models on a corpus. Interrupted, the same command goes on where it was.

    Exit code 0: all was measured; 3: some inputs were skipped, the report names them.
    """
    if context.invoked_subcommand:
        return
    if not model or corpus is None:
        raise typer.BadParameter("--model and --corpus are needed")
    with extra("validate"):
        from bluering.validate import worst as recordings
        from bluering.validate.choose import choose_models
        from bluering.validate.engines import acoustic_spec, engine_spec
        from bluering.validate.progress import Bar
        from bluering.validate.report.page import report_page
        from bluering.validate.report.schema import without_names, write_report
        from bluering.validate.session import carry_out, prepare
        from bluering.validate.store import Store
    if acoustic:
        spec = acoustic_spec(_port(target), speaker, choose_models(model))
    else:
        spec = engine_spec(target, choose_models(model))
    if spec.one_at_a_time and (jobs > 1 or cluster):
        raise typer.BadParameter("one board hears one recording at a time: leave --jobs out")
    prepared: Prepared = prepare(corpus, spec, condition or [], seed, convert)
    store = Store(parts or _beside(output, ".parts"), spec)
    with Bar() as bar:
        report = carry_out(prepared, store, _workers(jobs, cluster), bar, _command())
    cases = recordings.worst_cases(prepared, report.models, worst)
    if save_false_accepts:
        saved = recordings.save_false_accepts(prepared, report.models, save_false_accepts)
        typer.echo(f"{saved} false accepts cut out to {save_false_accepts}", err=True)
    if omit_names:
        report = without_names(report)
    write_report(report, _beside(output, ".json"))
    files.write(_beside(output, ".html"), report_page(report, cases))
    _summary(report, output, as_json)
    if report.skipped:
        raise typer.Exit(ExitCode.SKIPPED)


@app.command()
def compare(
    first: Annotated[Path, typer.Argument(help="A report (.json).")],
    second: Annotated[Path, typer.Argument(help="Another.")],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PAGE.html", help="Draws both.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say which differences between two reports are real."""
    with extra("validate"):
        from bluering.validate.compare import as_records
        from bluering.validate.compare import compare as compared
        from bluering.validate.report.console import difference_table
        from bluering.validate.report.page import comparison_page
        from bluering.validate.report.schema import read_report
    comparisons = compared(read_report(first), read_report(second))
    if output:
        names = (
            (first.stem, second.stem) if first.stem != second.stem else (str(first), str(second))
        )
        files.make_folder(output.parent)
        files.write(output, comparison_page(*names, comparisons))
    if as_json:
        typer.echo(as_records(comparisons))
    else:
        for comparison in comparisons:
            Console().print(difference_table(comparison, str(first), str(second)))


@app.command()
def gate(
    new: Annotated[Path, typer.Argument(help="The new report (.json).")],
    baseline: Annotated[Path, typer.Option("--baseline", help="The report it must hold up to.")],
    strict: Annotated[
        bool, typer.Option("--strict", help="The limits alone decide, chance is no excuse.")
    ] = False,
) -> None:
    """Fail when recall falls by more than 0.01 or false accepts rise by more than 0.05 per hour,
    at the manifest's cutoff and beyond what chance explains."""
    with extra("validate"):
        from bluering.validate.gate import gate as checked
        from bluering.validate.report.console import check_table
        from bluering.validate.report.schema import read_report
    checks = checked(read_report(new), read_report(baseline), strict)
    Console().print(check_table(checks))
    failed = [f"{check.model}: {check.what}" for check in checks if check.failed]
    if failed:
        raise GateError(
            f"{new} is worse than {baseline}: {'; '.join(failed)}",
            "keep the old model, or make the new report the baseline knowingly",
        )


def _workers(jobs: int, cluster: str | None) -> "Workers":
    from bluering.validate.cluster import Cluster
    from bluering.validate.runner import Here, Processes

    if cluster:
        return Cluster(cluster)
    return Processes(jobs) if jobs > 1 else Here()


def _port(target: str) -> str:
    from bluering.validate.engines import is_computed

    if is_computed(target):
        raise typer.BadParameter("--acoustic needs a board: name its port with --target")
    return target


def _beside(output: Path, suffix: str) -> Path:
    """REPORT, REPORT.json and REPORT.html all name the same report."""
    stem = output.with_suffix("") if output.suffix in (".json", ".html") else output
    return stem.with_name(stem.name + suffix)


def _command() -> str:
    return shlex.join(["bluering", *sys.argv[1:]])


def _summary(report: "Report", output: Path, as_json: bool) -> None:
    from bluering.validate.report.console import slice_table, summary_table

    if as_json:
        typer.echo(report.model_dump_json())
    else:
        for model in report.models:
            Console().print(summary_table(model))
            if sliced := slice_table(model):
                Console().print(sliced)
    for note in report.converted[:_CONVERTED_NAMED]:
        typer.echo(f"{note.name}: {note.text}", err=True)
    if len(report.converted) > _CONVERTED_NAMED:
        typer.echo(f"converted: {len(report.converted)} in all, the report names them", err=True)
    for note in report.skipped:
        typer.echo(f"skipped {note.name}: {note.text}", err=True)
    typer.echo(f"wrote {_beside(output, '.json')} and {_beside(output, '.html')}", err=True)
