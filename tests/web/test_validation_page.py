"""The report's page: whole by itself, and legible in light and dark, on a phone, printed."""

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from bluering.validate.compare import compare
from bluering.validate.report.media import Case
from bluering.validate.report.page import comparison_page, report_page
from bluering.validate.report.schema import InputNote, Latency, Report, SliceMisses
from tests.unit.validate_reports import SOME, clips, report
from tests.web.browser import find_browser, look, run_browser


def _full() -> Report:
    """A report with everything in it, its names as unpleasant as names get."""
    plain = report(clips(9), SOME, name="alexa <v1> & co")
    model = plain.models[0]
    point = model.shipped
    sliced = [
        SliceMisses(by=by, value=value * 9, clips=50, missed=missed, adjusted_p=0.01)
        for by, value, missed in (("speed", "slow", 8), ("speed", "fast", 1), ("<voice>", "a&b", 0))
    ]
    misses = point.misses[0].model_copy(
        update={
            "latency": Latency(median_ms=80, p95_ms=230, each_ms=[-400, -30, 40, 80, 90, 230]),
            "slices": sliced,
        }
    )
    long_name = "negatives/tv/" + "a_very_long_name_without_any_break_" * 4 + ".opus"
    accepts = [a.model_copy(update={"file": long_name}) for a in point.false_accepts]
    shipped = point.model_copy(update={"misses": [misses], "false_accepts": accepts})
    others = [point.model_copy(update={"name": f"{rate} per hour"}) for rate in (0.1, 0.5, 2)]
    model = model.model_copy(update={"points": [shipped, *others]})
    notes = [InputNote(name=long_name, text="it is silent")]
    return plain.model_copy(update={"models": [model], "skipped": notes, "converted": notes})


@pytest.fixture(scope="module", params=["report", "comparison"])
def page(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "page.html"
    if request.param == "report":
        tone = (8000 * np.sin(np.arange(16_000) / 5)).astype(np.int16)
        html = report_page(_full(), [Case("woke: tv, x.opus, 3.2 s, score 201", tone)])
    else:
        html = comparison_page("old/a.json", "new/b.json", compare(_full(), _full()))
    path.write_text(html, encoding="utf-8")
    return path


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.found += [v for k, v in attrs if k in ("src", "href", "srcset", "data") and v]


def test_nothing_is_fetched_and_nothing_runs(page: Path) -> None:
    html = page.read_text(encoding="utf-8")
    links = _Links()
    links.feed(html)
    assert all(link.startswith("data:") for link in links.found)
    assert not links.tags & {"script", "link", "iframe"}
    assert not re.search(r"url\(|@import|https?://", html)
    assert "<v1>" not in html


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1200])
def test_it_is_legible(page: Path, width: int, scheme: str) -> None:
    find_browser()
    seen = look(page, width, scheme)
    assert seen["width"] == width
    assert seen["scroll"] <= width, seen["wide"]
    assert seen["wide"] == []
    ratio, text = seen["contrast"]
    assert ratio >= 4.5, text  # WCAG 2.2, AA
    assert (sum(seen["page"][:3]) < 200) == (scheme == "dark")
    assert seen["smallest"] >= 9  # CSS pixels of a chart's text, line height included
    assert seen["dead"] == 0
    assert "alexa <v1> & co" in seen["text"]


def test_it_prints_on_a_few_pages_on_white(page: Path, tmp_path: Path) -> None:
    find_browser()
    paper = tmp_path / "page.pdf"
    run_browser("--blink-settings=preferredColorScheme=0", f"--print-to-pdf={paper}", page.as_uri())
    pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes()))
    assert 1 <= pages <= 6


def test_a_report_without_positives_or_negatives_says_so() -> None:
    full = _full()
    model = full.models[0]
    point = model.shipped
    deaf = model.model_copy(
        update={"miss_curves": [], "points": [point.model_copy(update={"misses": []})]}
    )
    html = report_page(full.model_copy(update={"models": [deaf]}))
    assert "No positives were measured" in html
    alone = model.model_copy(
        update={
            "false_accept_curves": [],
            "points": [
                point.model_copy(update={"kinds": [], "overall": None, "false_accepts": []})
            ],
        }
    )
    html = report_page(full.model_copy(update={"models": [alone]}))
    assert "No negatives were measured" in html
    assert "not measured" in html


def test_none_seen_is_an_upper_bound() -> None:
    html = report_page(report(clips(0), [], hours=10.0))
    assert "0 in 10.00 h, so at most 0.30 (one-sided 95 %)" in html
