"""The documentation's picture is the monitor's own view of a virtual board that has woken."""

import html
import re

from tests import pictures


def _shown(picture: str) -> str:
    """The text in an SVG."""
    return html.unescape(" ".join(re.findall(r"<text[^>]*>([^<]*)</text>", picture)))


def test_the_picture_is_of_a_blue_ring_and_why_it_is_blue() -> None:
    text = _shown(pictures.monitor()).replace("\N{NO-BREAK SPACE}", " ")
    assert "over the cutoff" in text
    assert "ring: blue" in text
    for word in ("Alexa", "computer", "hey echo"):
        assert f"listens for {word}" in text


def test_the_picture_fetches_nothing() -> None:
    picture = pictures.MONITOR.read_text(encoding="utf-8")
    assert "ring: blue" in _shown(picture).replace("\N{NO-BREAK SPACE}", " ")
    assert "url(" not in re.sub(r"url\(#[^)]*\)", "", picture)
