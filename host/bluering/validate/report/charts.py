"""The report's charts: miss rate against false accepts, false accepts per kind, latency."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from markupsafe import Markup

from bluering.validate.intervals import clopper_pearson
from bluering.validate.report import svg
from bluering.validate.report.schema import FalseAccepts, MissCurve, ModelResult, OperatingPoint

_MOST_PER_HOUR = 10.0
_TICKS_PER_HOUR = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(frozen=True)
class Series:
    """A model as it appears in every chart."""

    label: str
    css: str  # s0, s1, ...
    model: ModelResult


def curve_panel(series: Sequence[Series], condition: str, top: float) -> Markup:
    """Miss rate against false accepts per hour under one condition, a line per model."""
    frame = svg.Frame()
    least = 0.5 / max(s.model.hours for s in series)
    x = svg.logarithmic(least, _MOST_PER_HOUR, frame.x0, frame.x1)
    y = svg.linear(0, top, frame.y0, frame.y1)
    step = svg.nice_step(top, 5)
    y_ticks = [svg.Tick(i * step, _percent(i * step)) for i in range(int(top / step + 1e-6) + 1)]
    parts = [
        svg.x_axis(frame, x, _per_hour_ticks(least), "false accepts per hour"),
        svg.y_axis(frame, y, y_ticks),
    ]
    for one in series:
        curve = next((c for c in one.model.miss_curves if c.condition == condition), None)
        if curve:
            parts.append(_curve(one, curve, x, y))
    return svg.drawing(frame, f"Miss rate against false accepts per hour, {condition}", parts)


def curve_top(series: Sequence[Series], conditions: Sequence[str]) -> float:
    """A common upper edge for all panels: what the strictest operating points need."""
    needed = [
        m.interval[1]
        for s in series
        for point in s.model.points
        for m in point.misses
        if m.condition in conditions
    ]
    highest = max([0.05, *needed])
    step = svg.nice_step(highest, 5)
    return min(1.0, math.ceil(highest / step - 1e-9) * step)


def kind_bars(series: Sequence[Series]) -> Markup:
    """False accepts per hour of each kind at the manifest's cutoff, with their intervals."""
    rows = [(one, figures) for one in series for figures in _figures(one.model.shipped)]
    kinds = list(dict.fromkeys(figures.kind for _, figures in rows))
    thick, gap = 12, 16
    block = thick * len(series) + gap
    frame = svg.Frame(width=520, height=block * len(kinds) + 60, left=84, right=70, top=6)
    # A kind with little audio must not squeeze the others: its interval may leave the picture.
    usual = median(figures.interval[1] for _, figures in rows)
    highest = max([0.5, 1.5 * usual, *(figures.per_hour for _, figures in rows)])
    step = svg.nice_step(highest, 5)
    x = svg.linear(0, math.ceil(highest / step) * step, frame.x0, frame.x1)
    ticks = [svg.Tick(i * step, f"{i * step:g}") for i in range(math.ceil(highest / step) + 1)]
    parts = [svg.x_axis(frame, x, ticks, "false accepts per hour, 95 % interval")]
    for one, figures in rows:
        y = frame.top + block * kinds.index(figures.kind) + gap / 2
        if one is series[0]:
            middle = y + thick * len(series) / 2 + 4
            parts.append(svg.text((frame.x0 - 8, middle), figures.kind, "end"))
        parts.append(_kind_bar(figures, one, x, y + thick * series.index(one), thick, frame))
    return svg.drawing(frame, "False accepts per hour by kind", parts)


def latency_bars(series: Sequence[Series], condition: str) -> Markup:
    """How long after the end of the word the model woke, at the manifest's cutoff."""
    frame = svg.Frame(width=520, height=220)
    each = {}
    for one in series:
        figures = one.model.shipped.condition(condition)
        if figures and figures.latency:
            each[one.css] = figures.latency.each_ms
    values = [value for found in each.values() for value in found]
    if not values:
        return Markup()
    step = svg.nice_step(max(values) - min(values) + 1, 48)
    low = math.floor(min(values) / step)
    count = math.floor(max(values) / step) - low + 1
    bins = {css: [0] * count for css in each}
    for css, found in each.items():
        for value in found:
            bins[css][math.floor(value / step) - low] += 1
    highest = max(max(heights) for heights in bins.values())
    x = svg.linear(low * step, (low + count) * step, frame.x0, frame.x1)
    y_step = max(1.0, svg.nice_step(highest, 4))
    y = svg.linear(0, math.ceil(highest / y_step) * y_step, frame.y0, frame.y1)
    x_step = svg.nice_step(count * step, 7)
    first = math.ceil(low * step / x_step)
    x_ticks = [
        svg.Tick(i * x_step, f"{i * x_step:g}")
        for i in range(first, math.floor((low + count) * step / x_step) + 1)
    ]
    y_ticks = [
        svg.Tick(i * y_step, f"{i * y_step:g}") for i in range(math.ceil(highest / y_step) + 1)
    ]
    parts = [
        svg.x_axis(frame, x, x_ticks, "milliseconds from the end of the word to the wake"),
        svg.y_axis(frame, y, y_ticks),
    ]
    width = (frame.x1 - frame.x0) / count / len(bins)
    for index, (css, heights) in enumerate(bins.items()):
        for place, height in enumerate(heights):
            left = frame.x0 + (place * len(bins) + index) * width
            top = y(height)
            name = f"{height} clips from {(low + place) * step:g} ms"
            parts.append(svg.bar(left + 0.5, top, width - 1, frame.y0 - top, css, name))
    if low * step < 0 < (low + count) * step:
        parts.append(svg.rule((x(0), frame.y0), (x(0), frame.y1), "zero"))
    return svg.drawing(frame, f"Latency, {condition}", parts)


def _curve(one: Series, curve: MissCurve, x: svg.Scale, y: svg.Scale) -> str:
    hours = one.model.hours
    points, upper, lower = [], [], []
    for count, missed in zip(one.model.false_accept_counts(), curve.missed, strict=True):
        at = x(count / hours)
        low, high = clopper_pearson(missed, curve.clips)
        points.append((at, y(missed / curve.clips)))
        upper.append((at, y(high)))
        lower.append((at, y(low)))
    parts = [svg.band(upper, lower, one.css), svg.line(points, one.css)]
    shipped = one.model.shipped
    figures = shipped.condition(curve.condition)
    if figures and shipped.overall:
        at = (x(shipped.overall.per_hour), y(figures.rate))
        said = f"{one.label}, manifest's cutoff: {_percent(figures.rate)} missed, "
        parts.append(svg.dot(at, one.css, f"{said}{shipped.overall.per_hour:.2f} per hour"))
    return "".join(parts)


def _kind_bar(
    figures: FalseAccepts, one: Series, x: svg.Scale, y: float, thick: float, frame: svg.Frame
) -> str:
    low, high = figures.interval
    end, middle = x(figures.per_hour), y + thick / 2
    said = f"{figures.per_hour:.2f}" if figures.count else f"≤ {high:.2f}"
    name = f"{one.label}, {figures.kind}: {figures.count} in {figures.hours:.2f} h"
    return "".join(
        [
            svg.bar(frame.x0, y + 1, end - frame.x0, thick - 2, one.css, name),
            svg.rule((x(low), middle), (x(high), middle), "whisker"),
            svg.rule((x(high), middle - 3), (x(high), middle + 3), "whisker"),
            svg.text((x(high) + 6, middle + 4), said, "start"),
        ]
    )


def _figures(point: OperatingPoint) -> list[FalseAccepts]:
    return [*point.kinds, *([point.overall] if point.overall else [])]


def _per_hour_ticks(least: float) -> list[svg.Tick]:
    shown = [v for v in _TICKS_PER_HOUR if v > least * 1.6]
    wanted = [v for v in shown if v in (0.01, 0.1, 0.5, 2.0, 10.0)]
    return [svg.Tick(0, "0"), *(svg.Tick(value, f"{value:g}") for value in wanted)]


def _percent(share: float) -> str:
    return f"{100 * share:.3g} %"
