"""Figures as the page writes them, each with its interval."""

from markupsafe import Markup, escape

from bluering.validate.report.schema import FalseAccepts, Misses, SliceMisses


def share(misses: Misses | SliceMisses) -> str:
    """1.8 %"""
    return f"{100 * misses.rate:.1f} %"


def of_clips(misses: Misses | SliceMisses) -> str:
    """3 of 164, 0.4 to 5.3 %"""
    return f"{_seen(misses)}, {_between(misses)}"


def missed_cell(misses: Misses | SliceMisses) -> Markup:
    """For a table, in three lines."""
    return _lines(share(misses), _seen(misses), _between(misses))


def rate(figures: FalseAccepts) -> str:
    """Per hour."""
    return f"{figures.per_hour:.2f}"


def in_hours(figures: FalseAccepts) -> str:
    """1 in 8.16 h, 0.00 to 0.68; for none the upper bound."""
    low, high = figures.interval
    if figures.count == 0:
        return f"0 in {figures.hours:.2f} h, so at most {high:.2f} (one-sided 95 %)"
    return f"{figures.count} in {figures.hours:.2f} h, {low:.2f} to {high:.2f}"


def accepts_cell(figures: FalseAccepts | None) -> str | Markup:
    """For a table, in three lines."""
    if figures is None:
        return "not measured"
    low, high = figures.interval
    between = f"{low:.2f} to {high:.2f}" if figures.count else f"at most {high:.2f}"
    return _lines(rate(figures), f"{figures.count} in {figures.hours:.2f} h", between)


def cutoff(value: int) -> Markup:
    """On the manifest's scale and on the device's."""
    return _lines(f"{value / 255:.2f}", f"{value} of 255")


def figure(value: float, unit: str) -> str:
    """What a comparison compares: a share that is "missed", or false accepts per hour."""
    return f"{100 * value:.1f} %" if unit == "missed" else f"{value:.2f} /h"


def clock(seconds: float) -> str:
    """1:02.95"""
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}:{rest:05.2f}"


def _seen(misses: Misses | SliceMisses) -> str:
    return f"{misses.missed} of {misses.clips}"


def _between(misses: Misses | SliceMisses) -> str:
    low, high = misses.interval
    return f"{100 * low:.1f} to {100 * high:.1f} %"


def _lines(figure: str, *below: str) -> Markup:
    return escape(figure) + Markup("").join(Markup("<small>{}</small>").format(b) for b in below)
