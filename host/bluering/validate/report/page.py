"""The report as one self-contained HTML page: legible in light and dark, on a phone, printed."""

from collections.abc import Sequence
from html import escape
from importlib.resources import files

from bluering.validate.compare import Comparison, Difference, say_p
from bluering.validate.report import charts, media, wording
from bluering.validate.report.charts import Series
from bluering.validate.report.schema import (
    SHIPPED,
    InputNote,
    Misses,
    ModelResult,
    OperatingPoint,
    Report,
    SliceMisses,
)
from bluering.validate.slices import worst_sentence

_LISTED = 50  # false accepts on the page; the JSON file has them all


def report_page(report: Report, cases: Sequence[media.Case] = ()) -> str:
    """The page of one run."""
    series = [Series(m.name, f"s{i % 4}", m) for i, m in enumerate(report.models)]
    names = ", ".join(f"“{model.name}”" for model in report.models)
    body = [
        f"<h1>{escape(names)}: how often missed, and how often woken by mistake</h1>",
        f'<p class="soft">Target: {escape(report.target)}. Corpus: {escape(report.corpus)}. '
        f"BlueRing {escape(report.version)}.</p>",
        *(_cards(model) for model in report.models),
        _inputs("Skipped inputs", report.skipped),
        _curves(series),
        *(_points(model) for model in report.models),
        *(_slices(model) for model in report.models),
        _bars(series),
        _latency(series),
        *(_false_accepts(model) for model in report.models),
        _cases(cases),
        _inputs("Converted inputs", report.converted),
        _method(report),
    ]
    return _page(f"Validation: {names}", body)


def comparison_page(first: str, second: str, comparisons: Sequence[Comparison]) -> str:
    """Two reports against each other."""
    body = [f"<h1>{escape(first)} against {escape(second)}</h1>"]
    for pair in comparisons:
        series = [Series(first, "s0", pair.first), Series(second, "s1", pair.second)]
        body += [
            f"<h2>{escape(pair.first.name)}</h2>",
            _curves(series),
            _differences(first, second, pair.differences),
            _bars(series),
            _latency(series),
        ]
    return _page(f"{first} against {second}", body)


def _page(title: str, body: Sequence[str]) -> str:
    style = files("bluering.validate.report").joinpath("style.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{style}</style></head>\n<body>\n"
        + "\n".join(filter(None, body))
        + "\n</body></html>\n"
    )


def _cards(model: ModelResult) -> str:
    point = model.shipped
    cards = [
        _card(f"missed, {misses.condition}", wording.share(misses), wording.of_clips(misses))
        for misses in point.misses[:1]
    ]
    noisy = max(point.misses[1:], key=lambda m: m.rate, default=None)
    if noisy:
        cards.append(
            _card(
                f"missed, worst: {noisy.condition}", wording.share(noisy), wording.of_clips(noisy)
            )
        )
    if point.overall:
        overall = point.overall
        cards.append(
            _card("false accepts per hour", wording.rate(overall), wording.in_hours(overall))
        )
    latency = point.misses[0].latency if point.misses else None
    if latency:
        cards.append(
            _card(
                "from the end of the word to the wake, median",
                f"{latency.median_ms:.0f} ms",
                f"{latency.p95_ms:.0f} ms at the 95th percentile",
            )
        )
    return (
        f"<h2>{escape(model.name)} at its manifest’s cutoff, {model.cutoff / 255:.2f}</h2>"
        f'<div class="cards">{"".join(cards)}</div>'
    )


def _card(label: str, value: str, note: str) -> str:
    return f'<div class="card">{escape(label)}<b>{value}</b><small>{note}</small></div>'


def _curves(series: Sequence[Series]) -> str:
    conditions = list(dict.fromkeys(c.condition for one in series for c in one.model.miss_curves))
    if not conditions:
        return "<h2>Curves</h2><p>No positives were measured: there is no miss rate to draw.</p>"
    if not all(one.model.hours for one in series):
        return (
            "<h2>Curves</h2><p>No negatives were measured: there are no false accepts to draw "
            "the miss rate against.</p>"
        )
    top = charts.curve_top(series, conditions)
    panels = [
        f"<figure><figcaption>{escape(c)}</figcaption>{charts.curve_panel(series, c, top)}</figure>"
        for c in conditions
    ]
    return (
        "<h2>Miss rate against false accepts per hour</h2>"
        '<p class="soft">Up: missed. Right: more false accepts, on a logarithmic scale; at the '
        "left edge none was seen. The band is the 95 % interval of the miss rate, the circle the "
        f'manifest’s cutoff.</p>{_legend(series)}<div class="panels">{"".join(panels)}</div>'
    )


def _legend(series: Sequence[Series]) -> str:
    keys = (f'<span class="{s.css}"><i class="key"></i>{escape(s.label)}</span>' for s in series)
    return f'<div class="legend">{"".join(keys)}</div>'


def _points(model: ModelResult) -> str:
    points = [point for point in model.points if point.cutoff is not None]
    head = "".join(f"<th>{_point_name(point)}</th>" for point in points)
    cutoffs = "".join(
        f"<td>{wording.cutoff(p.cutoff)}</td>" for p in points if p.cutoff is not None
    )
    accepts = "".join(f"<td>{wording.accepts_cell(point.overall)}</td>" for point in points)
    rows = "".join(_misses_row(curve.condition, points) for curve in model.miss_curves)
    unreachable = [p.name for p in model.points if p.cutoff is None]
    note = f"<p>Out of reach: {escape(', '.join(unreachable))}.</p>" if unreachable else ""
    return (
        f"<h2>Operating points of {escape(model.name)}</h2>"
        '<div class="scroll"><table><caption>Each with its 95 % interval</caption>'
        f"<tr><th></th>{head}</tr><tr><td>cutoff</td>{cutoffs}</tr>"
        f"<tr><td>false accepts per hour</td>{accepts}</tr>{rows}</table></div>{note}"
    )


def _point_name(point: OperatingPoint) -> str:
    return "manifest’s cutoff" if point.name == SHIPPED else f"at most {escape(point.name)}"


def _misses_row(condition: str, points: Sequence[OperatingPoint]) -> str:
    found = [point.condition(condition) for point in points]
    cells = (
        f"<td>{wording.missed_cell(misses)}</td>" if misses else "<td></td>" for misses in found
    )
    return f"<tr><td>missed, {escape(condition)}</td>{''.join(cells)}</tr>"


def _slices(model: ModelResult) -> str:
    found = model.shipped.misses
    slices = list(dict.fromkeys((s.by, s.value) for misses in found for s in misses.slices))
    if not slices:
        return ""
    head = "".join(f"<th>{escape(misses.condition)}</th>" for misses in found)
    rows = "".join(
        f'<tr><td>{escape(by)}</td><td class="words">{escape(value)}</td>'
        + "".join(_slice_cell(misses, misses.slice(by, value)) for misses in found)
        + "</tr>"
        for by, value in slices
    )
    worst = "".join(
        f"<li>{escape(sentence)}</li>" for sentence in map(worst_sentence, found) if sentence
    )
    return (
        f"<h2>Missed by slice of the clips: {escape(model.name)}</h2><ul>{worst}</ul>"
        '<p class="soft">At the manifest’s cutoff, with 95 % intervals. The worst under a '
        "condition is, of the slices missed more often than all clips together, the one with the "
        "highest lower end; beyond chance when it is worse than the rest (Fisher, all slices taken "
        'together by Holm).</p><div class="scroll"><table>'
        f'<tr><th>by</th><th class="words">slice</th>{head}</tr>{rows}</table></div>'
    )


def _slice_cell(misses: Misses, found: SliceMisses | None) -> str:
    if found is None:
        return "<td></td>"
    mark = ' class="bad"' if found == misses.worst else ""
    return f"<td{mark}>{wording.missed_cell(found)}</td>"


def _bars(series: Sequence[Series]) -> str:
    if not any(one.model.shipped.kinds for one in series):
        return ""
    notes = [_none_seen(one.model) for one in series]
    return (
        "<h2>False accepts by kind, at the manifest’s cutoff</h2>"
        f'{_legend(series)}<figure class="wide">{charts.kind_bars(series)}</figure>'
        + "".join(notes)
    )


def _none_seen(model: ModelResult) -> str:
    overall = model.shipped.overall
    if overall is None or overall.count:
        return ""
    return f"<p>{escape(model.name)}: {wording.in_hours(overall)}.</p>"


def _latency(series: Sequence[Series]) -> str:
    first = next((m.condition for one in series for m in one.model.shipped.misses), None)
    drawn = charts.latency_bars(series, first) if first else ""
    if not drawn:
        return ""
    rows = "".join(
        _latency_row(one, misses) for one in series for misses in one.model.shipped.misses
    )
    return (
        f"<h2>From the end of the word to the wake, {escape(str(first))}</h2>"
        f'<figure class="wide">{drawn}</figure>'
        '<div class="scroll"><table><tr><th>model</th><th class="words">condition</th>'
        f"<th>detected</th><th>median</th><th>95th percentile</th></tr>{rows}</table></div>"
    )


def _latency_row(one: Series, misses: Misses) -> str:
    latency = misses.latency
    times = (
        f"<td>{latency.median_ms:.0f} ms</td><td>{latency.p95_ms:.0f} ms</td>"
        if latency
        else "<td></td><td></td>"
    )
    return (
        f'<tr><td>{escape(one.label)}</td><td class="words">{escape(misses.condition)}</td>'
        f"<td>{misses.clips - misses.missed} of {misses.clips}</td>{times}</tr>"
    )


def _false_accepts(model: ModelResult) -> str:
    listed = model.listed_false_accepts()
    if not listed:
        return ""
    rows = "".join(
        f'<tr><td>{accept.score}</td><td class="words">{escape(accept.kind)}</td>'
        f"<td>{wording.clock(accept.seconds)}</td>"
        f'<td class="file">{escape(accept.file or accept.id)}</td></tr>'
        for accept in listed[:_LISTED]
    )
    more = max(0, len(listed) - _LISTED)
    rest = f"<p>{more} more are in the JSON report.</p>" if more else ""
    return (
        f"<h2>False accepts of {escape(model.name)}, hardest first</h2>"
        '<div class="scroll"><table><caption>Each happens at cutoffs below its score</caption>'
        '<tr><th>score</th><th class="words">kind</th><th>time</th>'
        '<th class="words">recording</th></tr>'
        f"{rows}</table></div>{rest}"
    )


def _cases(cases: Sequence[media.Case]) -> str:
    if not cases:
        return ""
    shown = "".join(
        f'<figure class="case"><figcaption>{escape(case.title)}</figcaption>'
        f'<img alt="spectrogram, 0 to 8 kHz" src="{media.spectrogram_url(case.audio)}">'
        f'<audio controls preload="none" src="{media.audio_url(case.audio)}"></audio></figure>'
        for case in cases
    )
    return f'<h2>Worst cases</h2><div class="panels">{shown}</div>'


def _inputs(title: str, notes: Sequence[InputNote]) -> str:
    if not notes:
        return ""
    items = "".join(f"<li><code>{escape(n.name)}</code>: {escape(n.text)}</li>" for n in notes)
    return f"<h2>{escape(title)}</h2><ul>{items}</ul>"


def _method(report: Report) -> str:
    items = "".join(f"<li>{escape(sentence)}</li>" for sentence in report.method)
    return (
        f"<h2>Method</h2><ul>{items}</ul>"
        f'<p class="soft">Seed {report.seed}. Made by <code>{escape(report.command)}</code></p>'
    )


def _differences(first: str, second: str, differences: Sequence[Difference]) -> str:
    rows = "".join(_difference_row(difference) for difference in differences)
    return (
        "<h3>Differences</h3>"
        '<div class="scroll"><table><caption>Real: less than 5 % likely by chance alone, all tests '
        "of the table taken together (Holm)</caption>"
        f'<tr><th>at</th><th class="words">what</th><th>{escape(first)}</th>'
        f"<th>{escape(second)}</th><th>test</th><th>p</th><th>adjusted</th><th>verdict</th></tr>{rows}</table></div>"
    )


def _difference_row(d: Difference) -> str:
    first, second = (
        f"{100 * v:.1f} %" if d.unit == "missed" else f"{v:.2f} /h" for v in (d.first, d.second)
    )
    verdict = "could be chance"
    if d.real:
        better = d.second < d.first
        verdict = f'<span class="{"good" if better else "bad"}">real</span>'
    return (
        f'<tr><td>{escape(d.point)}</td><td class="words">{escape(d.what)}</td><td>{first}</td>'
        f"<td>{second}</td><td>{d.test}</td><td>{escape(say_p(d.p))}</td><td>{escape(say_p(d.adjusted_p))}</td>"
        f"<td>{verdict}</td></tr>"
    )
