"""Headless Chromium as a measuring instrument: what a page looks like, as data."""

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome")
_SCHEMES = {"dark": 0, "light": 1}

# Runs in the page when its pictures are there; reports to the frame around it.
_PROBE = """
<script>
addEventListener('load', () => {
const parse = c => (c.match(/[\\d.]+/g) || []).map(Number);
const light = ([r, g, b]) => {
  const [x, y, z] = [r, g, b].map(v => v / 255).map(
    v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4);
  return .2126 * x + .7152 * y + .0722 * z;
};
const back = e => {
  for (; e; e = e.parentElement) {
    const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c;
  }
  return [255, 255, 255];
};
const contrasts = [];
const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walk.nextNode()) {
  const text = walk.currentNode.data.trim(), e = walk.currentNode.parentElement;
  if (!text || ['SCRIPT', 'STYLE', 'title'].includes(e.tagName)) continue;
  const style = getComputedStyle(e), ink = parse(e.closest('svg') ? style.fill : style.color);
  const [a, b] = [light(ink), light(back(e))].sort((p, q) => q - p);
  contrasts.push([(a + .05) / (b + .05), text]);
}
const wide = [...document.body.querySelectorAll('*')].filter(e =>
  !e.closest('.scroll') && !e.closest('svg') && e.getBoundingClientRect().right > innerWidth + 1);
const small = [...document.querySelectorAll('svg text')].map(e => e.getBoundingClientRect().height);
parent.postMessage(JSON.stringify({
  width: innerWidth, scroll: document.documentElement.scrollWidth,
  wide: wide.map(e => e.tagName + '.' + e.className),
  contrast: contrasts.sort((p, q) => p[0] - q[0])[0],
  page: back(document.body), text: document.body.innerText, smallest: Math.min(...small),
  dead: [...document.images].filter(i => !i.complete || !i.naturalWidth).length,
}), '*');
});
</script>
"""

_FRAME = """<!doctype html><body style="margin:0"><iframe src="{page}" style="width:{width}px;
height:900px;border:0"></iframe><pre id="out"></pre><script>
onmessage = m => document.getElementById('out').textContent = m.data;</script></body>"""


def find_browser() -> str:
    """Chromium's path; the test is skipped where there is none."""
    for name in _NAMES:
        if path := shutil.which(name):
            return path
    pytest.skip(f"no browser is installed ({', '.join(_NAMES)}): apt install chromium")


def look(page: Path, width: int, scheme: str) -> dict[str, Any]:
    """Measure a page in a window of so many CSS pixels, in a light or dark scheme."""
    probed = page.with_suffix(".probed.html")
    html = page.read_text(encoding="utf-8")
    probed.write_text(html.replace("</body>", _PROBE + "</body>"), encoding="utf-8")
    frame = page.with_suffix(f".{width}.frame.html")
    frame.write_text(_FRAME.format(page=probed.name, width=width), encoding="utf-8")
    dom = run_browser(
        f"--blink-settings=preferredColorScheme={_SCHEMES[scheme]}",
        f"--window-size={max(width, 500)},900",
        "--virtual-time-budget=5000",
        "--dump-dom",
        frame.as_uri(),
    )
    found = re.search(r'<pre id="out">(.*?)</pre>', dom, re.DOTALL)
    assert found
    assert found[1], "the page didn't report"
    return json.loads(unescape(found[1]))


def run_browser(*arguments: str) -> str:
    """What it prints."""
    base = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run"]
    done = subprocess.run(
        [find_browser(), *base, *arguments], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
