"""Just enough SVG for a chart: scales, axes, lines, bands. Colours come from the page's CSS."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

Scale = Callable[[float], float]
Point = tuple[float, float]


@dataclass(frozen=True)
class Tick:
    """A place on an axis and what is written there."""

    value: float
    label: str


@dataclass(frozen=True)
class Frame:
    """The plotting area in a drawing, in user units (about CSS pixels)."""

    width: float = 360
    height: float = 250
    left: float = 46
    right: float = 14
    top: float = 12
    bottom: float = 42

    @property
    def x0(self) -> float:
        return self.left

    @property
    def x1(self) -> float:
        return self.width - self.right

    @property
    def y0(self) -> float:
        return self.height - self.bottom

    @property
    def y1(self) -> float:
        return self.top


def linear(low: float, high: float, start: float, end: float) -> Scale:
    """Values from low to high, drawn from start to end; others are held at the edges."""

    def scale(value: float) -> float:
        share = (min(max(value, low), high) - low) / (high - low)
        return start + share * (end - start)

    return scale


def logarithmic(low: float, high: float, start: float, end: float) -> Scale:
    """As `linear`, in decades; zero lies at the low edge."""
    inner = linear(math.log(low), math.log(high), start, end)
    return lambda value: inner(math.log(max(value, low)))


def drawing(frame: Frame, title: str, parts: Sequence[str]) -> Markup:
    """A whole SVG element that fits its place on the page and is named for screen readers."""
    return Markup(
        f'<svg viewBox="0 0 {frame.width:g} {frame.height:g}" role="img" '
        f'aria-label="{escape(title)}"><title>{escape(title)}</title>{"".join(parts)}</svg>'
    )


def line(points: Sequence[Point], css: str) -> str:
    return f'<polyline class="line {css}" points="{_points(points)}"/>' if points else ""


def band(upper: Sequence[Point], lower: Sequence[Point], css: str) -> str:
    """The area between two lines."""
    outline = _points([*upper, *reversed(lower)])
    return f'<polygon class="band {css}" points="{outline}"/>' if upper else ""


def dot(at: Point, css: str, title: str) -> str:
    return (
        f'<circle class="dot {css}" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="4">'
        f"<title>{escape(title)}</title></circle>"
    )


def rule(start: Point, end: Point, css: str) -> str:
    (x1, y1), (x2, y2) = start, end
    return f'<line class="{css}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def bar(x: float, y: float, width: float, height: float, css: str, title: str = "") -> str:
    name = f"<title>{escape(title)}</title>" if title else ""
    return (
        f'<rect class="bar {css}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" '
        f'height="{max(height, 0):.1f}">{name}</rect>'
    )


def text(at: Point, content: str, anchor: str = "middle", css: str = "") -> str:
    return (
        f'<text class="{css}" x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def x_axis(frame: Frame, scale: Scale, ticks: Sequence[Tick], label: str) -> str:
    out = [rule((frame.x0, frame.y0), (frame.x1, frame.y0), "axis")]
    for tick in ticks:
        x = scale(tick.value)
        out.append(rule((x, frame.y0), (x, frame.y1), "grid"))
        out.append(text((x, frame.y0 + 15), tick.label))
    out.append(text(((frame.x0 + frame.x1) / 2, frame.height - 8), label, css="label"))
    return "".join(out)


def y_axis(frame: Frame, scale: Scale, ticks: Sequence[Tick]) -> str:
    out = []
    for tick in ticks:
        y = scale(tick.value)
        out.append(rule((frame.x0, y), (frame.x1, y), "grid"))
        out.append(text((frame.x0 - 6, y + 4), tick.label, "end"))
    return "".join(out)


def nice_step(span: float, most: int) -> float:
    """The smallest of 1, 2, 5 times a power of ten that divides a span into at most so many."""
    rough = span / most
    power = 10 ** math.floor(math.log10(rough))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= rough * 0.9999)


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
