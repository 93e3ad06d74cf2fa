"""The report in short, for the terminal."""

from rich.table import Table

from bluering.validate.compare import Comparison, say_p
from bluering.validate.gate import Check
from bluering.validate.report.schema import ModelResult, OperatingPoint, SliceMisses
from bluering.validate.slices import worst_sentence


def summary_table(model: ModelResult) -> Table:
    """The figures at the manifest's cutoff."""
    table = _table(
        f"{model.name} at its manifest's cutoff, {model.cutoff} of 255",
        ("", "seen", "rate", "95 % interval"),
    )
    for row in _summary_rows(model.shipped):
        table.add_row(*row)
    return table


def slice_table(model: ModelResult) -> Table | None:
    """Misses by slice at the manifest's cutoff, and the worst slice; None without slices."""
    found = model.shipped.misses
    slices = list(dict.fromkeys((s.by, s.value) for misses in found for s in misses.slices))
    if not slices:
        return None
    table = _table(
        f"{model.name}: missed, by slice", ("by", "slice", *(misses.condition for misses in found))
    )
    table.caption_justify = "left"
    table.caption = "\n".join(filter(None, map(worst_sentence, found)))
    for by, value in slices:
        table.add_row(by, value, *(_slice_cell(misses.slice(by, value)) for misses in found))
    return table


def _slice_cell(found: SliceMisses | None) -> str:
    if found is None:
        return ""
    low, high = found.interval
    seen = f"{found.missed} of {found.clips}, {100 * found.rate:.1f} %"
    return f"{seen}\n{100 * low:.1f} to {100 * high:.1f} %"


def _summary_rows(point: OperatingPoint) -> list[tuple[str, str, str, str]]:
    rows = []
    for misses in point.misses:
        low, high = misses.interval
        seen = f"{misses.missed} of {misses.clips}"
        between = f"{100 * low:.1f} to {100 * high:.1f} %"
        rows.append((f"missed, {misses.condition}", seen, f"{100 * misses.rate:.1f} %", between))
    for figures in [*point.kinds, *([point.overall] if point.overall else [])]:
        low, high = figures.interval
        seen = f"{figures.count} in {figures.hours:.2f} h"
        between = f"{low:.2f} to {high:.2f}" if figures.count else f"at most {high:.2f}"
        name = f"false accepts per hour, {figures.kind}"
        rows.append((name, seen, f"{figures.per_hour:.2f}", between))
    return rows


def difference_table(comparison: Comparison, first: str, second: str) -> Table:
    """Which differences of two reports are real."""
    columns = ("at", "what", first, second, "test", "p", "adjusted", "verdict")
    table = _table(comparison.first.name, columns)
    for d in comparison.differences:
        scale, unit = (100, " %") if d.unit == "missed" else (1, " /h")
        table.add_row(
            d.point,
            d.what,
            f"{scale * d.first:.2f}{unit}",
            f"{scale * d.second:.2f}{unit}",
            d.test,
            say_p(d.p),
            say_p(d.adjusted_p),
            "real" if d.real else "could be chance",
        )
    return table


def check_table(checks: list[Check]) -> Table:
    """What the gate looked at."""
    columns = ("model", "what", "baseline", "new", "worse by", "allowed", "p", "verdict")
    table = _table("Gate, at the manifest's cutoff", columns)
    for c in checks:
        new = "not measured" if c.new is None else f"{c.new:.3f}"
        verdict = "FAILS" if c.failed else "watch: within chance" if c.watch else "passes"
        table.add_row(
            c.model,
            c.what,
            f"{c.old:.3f}",
            new,
            f"{c.worse_by:+.3f}",
            f"{c.limit:.2f}",
            say_p(c.p),
            verdict,
        )
    return table


def _table(title: str, columns: tuple[str, ...]) -> Table:
    table = Table(title=title)
    for column in columns:
        table.add_column(column)
    return table
