"""The report as one self-contained HTML page: legible in light and dark, on a phone, printed."""

from collections.abc import Sequence
from pathlib import Path

from markupsafe import Markup

from bluering.pages import templates
from bluering.validate.compare import Comparison, say_p
from bluering.validate.report import charts, media, wording
from bluering.validate.report.charts import Series
from bluering.validate.report.schema import SHIPPED, Misses, Report
from bluering.validate.slices import worst_sentence

_HERE = Path(__file__).parent
_LISTED = 50  # false accepts on the page; the JSON file has them all


def report_page(report: Report, cases: Sequence[media.Case] = ()) -> str:
    """The page of one run."""
    series = [Series(m.name, f"s{i % 4}", m) for i, m in enumerate(report.models)]
    names = ", ".join(f"“{model.name}”" for model in report.models)
    return _pages.get_template("report.html").render(
        title=f"Validation: {names}", names=names, report=report, series=series, cases=cases
    )


def comparison_page(first: str, second: str, comparisons: Sequence[Comparison]) -> str:
    """Two reports against each other."""
    pairs = [
        (pair, [Series(first, "s0", pair.first), Series(second, "s1", pair.second)])
        for pair in comparisons
    ]
    return _pages.get_template("comparison.html").render(
        title=f"{first} against {second}", first=first, second=second, pairs=pairs
    )


def _conditions(series: Sequence[Series]) -> list[str]:
    """Of all the curves, each once."""
    return list(dict.fromkeys(c.condition for one in series for c in one.model.miss_curves))


def _first_condition(series: Sequence[Series]) -> str | None:
    return next((m.condition for one in series for m in one.model.shipped.misses), None)


def _slices(found: Sequence[Misses]) -> list[tuple[str, str]]:
    """By what and which, each once."""
    return list(dict.fromkeys((s.by, s.value) for misses in found for s in misses.slices))


_pages = templates(
    _HERE / "pages",
    LISTED=_LISTED,
    SHIPPED=SHIPPED,
    charts=charts,
    conditions_of=_conditions,
    first_condition=_first_condition,
    media=media,
    say_p=say_p,
    slices_of=_slices,
    style=Markup((_HERE / "style.css").read_text(encoding="utf-8")),
    wording=wording,
)
_pages.filters["worst_sentence"] = worst_sentence
