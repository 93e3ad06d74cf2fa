"""What is put into a page stays text, and a page with something missing isn't shown."""

import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from bluering.pages import templates


def test_text_is_escaped_and_html_is_not(tmp_path):
    (tmp_path / "page.html").write_text("<p>{{ text }} {{ known }}")
    page = templates(tmp_path, known=Markup("<b>&amp;</b>")).get_template("page.html")
    assert page.render(text="<script>'") == "<p>&lt;script&gt;&#39; <b>&amp;</b>"


def test_a_value_that_is_missing_fails_the_page(tmp_path):
    (tmp_path / "page.html").write_text("{{ misspelt }}")
    with pytest.raises(UndefinedError):
        templates(tmp_path).get_template("page.html").render()
