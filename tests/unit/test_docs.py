"""What README and docs say is there: pages, commands with their options, lights, error messages."""

import ast
import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import takewhile
from pathlib import Path
from urllib.parse import unquote

import pytest
from typer.core import TyperArgument, TyperGroup
from typer.main import get_command

from bluering.cli import app
from bluering.link.values import parse
from ear import ring
from ear.link import messages
from ear.privacy import codecs

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")))
_LONGEST_README = 150
_TELLING = 6  # letters that a message has in one piece, at least


def _text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def test_the_readme_can_be_read_in_one_sitting() -> None:
    assert len(README.read_text(encoding="utf-8").splitlines()) <= _LONGEST_README


# Links


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def _links() -> Iterator[tuple[Path, str]]:
    for page in (*PAGES, ROOT / "CONTRIBUTING.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                yield page, unquote(target)


@pytest.mark.parametrize(("page", "target"), list(_links()), ids=lambda value: str(value))
def test_every_link_leads_somewhere(page: Path, target: str) -> None:
    path, _, anchor = target.partition("#")
    file = (page.parent / path).resolve() if path else page
    assert file.exists()
    assert not anchor or anchor in _anchors(file)


def test_the_readme_leads_to_every_page() -> None:
    linked = {(page.parent / target).resolve() for page, target in _links() if page == README}
    assert set(PAGES) - {README} <= linked


# Commands


def _shown(page: Path) -> Iterator[str]:
    """What a page shows as code: indented or fenced lines, and code within a sentence."""
    text = page.read_text(encoding="utf-8")
    yield from re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    yield from (code.replace("\n", " ") for code in re.findall(r"`([^`]+)`", text))


def _commands(program: str) -> list[tuple[str, list[str]]]:
    """Each command line of a program in the pages: the page's name, and the words after it."""
    found = []
    for page in PAGES:
        for line in _shown(page):
            words = shlex.split(line, comments=True) if line.startswith((program, ".venv")) else []
            if words and Path(words[0]).name == program:
                found.append((page.name, list(takewhile(lambda word: word != ">", words[1:]))))
    return found


def _names(cases: list[tuple[str, list[str]]]) -> list[str]:
    return [f"{page}: {' '.join(words)}" for page, words in cases]


_BLUERING = _commands("bluering")


@pytest.mark.parametrize(("page", "words"), _BLUERING, ids=_names(_BLUERING))
def test_every_command_is_there_with_these_options(page: str, words: list[str]) -> None:
    del page
    command = get_command(app)
    words = list(words)
    while words and isinstance(command, TyperGroup) and words[0] in command.commands:
        command = command.commands[words.pop(0)]
    options = {name: option for option in command.params for name in option.opts}
    arguments = []
    while words:
        word = words.pop(0)
        if not word.startswith("-"):
            arguments.append(word)
            continue
        assert word in options, f"{command.name} has no option {word}"
        if not getattr(options[word], "is_flag", False):
            assert words, f"{word} needs a value"
            words.pop(0)
    places = [param for param in command.params if isinstance(param, TyperArgument)]
    assert len(arguments) <= len(places) or any(place.nargs < 0 for place in places)


@pytest.mark.parametrize(
    ("name", "value"),
    [tuple(words[2:4]) for _, words in _BLUERING if words[:2] == ["config", "set"] and words[2:]],
)
def test_every_setting_takes_that_value(name: str, value: str) -> None:
    assert parse(name, value) is not None


def test_the_table_of_commands_is_complete() -> None:
    command = get_command(app)
    assert isinstance(command, TyperGroup)
    named = {words[0] for page, words in _BLUERING if page == "commands.md" and words}
    assert set(command.commands) <= named


def test_every_make_target_is_there() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for _, words in _commands("make") for word in words if "=" not in word}
    assert {"demo", "test"} <= named <= targets


def test_every_module_that_is_run_is_there() -> None:
    modules = [words[1] for _, words in _commands("python") if words[:1] == ["-m"]]
    ours = [module for module in modules if module.startswith("tests")]
    assert ours
    for module in ours:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").is_file() or (path / "__main__.py").is_file()


def test_every_extra_is_there() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {
        extra
        for page in PAGES
        for group in re.findall(r"'\.\[([a-z,]+)\]'", page.read_text(encoding="utf-8"))
        for extra in group.split(",")
    }
    assert {"audio", "flash", "vault"} <= named <= project["optional-dependencies"].keys()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_packages_are_installed_into_the_environment(page: Path) -> None:
    """Debian's own pip refuses: what installs follows what puts the environment's on the path."""
    text = page.read_text(encoding="utf-8")
    installs = re.search(r"^ +pip install", text, re.MULTILINE)
    activates = re.search(r"^ +\. \.venv/bin/activate", text, re.MULTILINE)
    assert installs is None or (activates is not None and activates.start() < installs.start())


# Lights


def test_every_light_is_in_the_table_in_its_order() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", _text("lights.md"), re.MULTILINE)
    assert tuple(state for state, _ in rows) == ring.STATES
    for state, (_, light) in enumerate(rows):
        frames = [bytearray(36) for _ in range(100)]
        for number, frame in enumerate(frames):
            ring.draw(state, number, 255, frame)
        assert _seen(frames) in light


def _seen(frames: list[bytearray]) -> str:
    """How a state looks, as the table says it, from its first frames on a ring of 12 LEDs."""
    lit = [[any(frame[3 * led : 3 * led + 3]) for led in range(12)] for frame in frames]
    counts = [sum(leds) for leds in lit]
    if not any(counts):
        return "dark"
    if set(counts) == {1}:
        return "first LED alone" if lit[0] == lit[1] else "walks round"
    if set(counts) == {12}:
        return "all LEDs"
    pause = next(n for n in range(len(counts)) if not any(counts[n : n + 20]))
    blinks = sum(counts[n - 1] > 0 and counts[n] == 0 for n in range(1, pause + 1))
    return f"{blinks} "


# Error messages


@cache
def _messages() -> str:
    """Every text in the sources, a line each, with ``...`` for what is filled in."""
    found = [path.read_text(encoding="utf-8") for path in (ROOT / "setup").glob("*.sh")]
    for folder in ("host", "firmware"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            found += _texts(ast.parse(path.read_text(encoding="utf-8")))
    return "\n".join(found)


def _texts(tree: ast.Module) -> Iterator[str]:
    documentation = {node.value for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(_part(part) for part in node.values)
        elif isinstance(node, ast.Constant) and node not in documentation:
            yield _part(node)


def _part(node: ast.expr) -> str:
    return str(node.value).replace("\n", " ") if isinstance(node, ast.Constant) else "..."


def _headings() -> list[str]:
    return re.findall(r"^### (.+)$", _text("troubleshooting.md"), re.MULTILINE)


@pytest.mark.parametrize("heading", _headings())
def test_every_message_in_troubleshooting_is_one_of_ours(heading: str) -> None:
    pieces = [piece.strip() for piece in heading.split("...")]
    assert re.search(".*".join(map(re.escape, pieces)), _messages())
    assert max(map(len, pieces)) > _TELLING, "says too little to be found"


# Figures


def test_the_figures_of_alexa_are_those_of_its_evaluation() -> None:
    report = json.loads((ROOT / "models/alexa/evaluation.json").read_text())
    (point,) = [p for p in report["models"][0]["points"] if p["name"] == "manifest"]
    missed = {miss["condition"]: miss for miss in point["misses"]}
    readme, figures = README.read_text(encoding="utf-8"), _text("figures.md")
    for name, condition in (
        ("clean", "clean"),
        ("television at 10 dB", "tv@10"),
        ("ambient noise at 5 dB", "ambient@5"),
    ):
        miss = missed[condition]
        seen = f"{miss['missed']} of {miss['clips']}"
        assert (
            f'| "Alexa" missed, {name} | {seen} ({miss["rate"]:.1%})'.replace("%", " %") in readme
        )
    latency = missed["clean"]["latency"]
    assert f"{latency['median_ms']:.0f} ms, {latency['p95_ms']:.0f} ms on the 95th" in readme
    overall = point["overall"]
    assert f"| {overall['count']} ({overall['per_hour']:.2f} per hour) |" in readme
    assert (
        f"{overall['count']} in {overall['hours']:.2f} h | {overall['per_hour']:.2f} |" in figures
    )
    tv = missed["tv@10"]
    assert f"television at 10 dB | {tv['missed']} of {tv['clips']} | " in figures


def test_the_readme_has_the_shares_that_the_page_on_cost_has() -> None:
    """Of the whole application: the rows of one word are the first in each table."""
    cost, readme = _text("cost.md"), README.read_text(encoding="utf-8")
    shares = re.findall(r"^\| of a core at 240 MHz \| \S+ % \| (\S+ %) \|", cost, re.MULTILINE)
    listening, recording = shares
    assert f"the whole application | {listening} |" in readme
    assert f"the whole application | {recording} |" in readme


# The format


@pytest.mark.parametrize(
    "message",
    [
        messages.RECORDING_START,
        messages.RECORDING_CHUNK,
        messages.RECORDING_END,
        messages.FALSE_WAKE,
    ],
    ids=lambda message: message.name,
)
def test_the_format_has_each_messages_number_and_size(message: messages.Message) -> None:
    row = rf"^\| `{message.name}` \| {message.id} \| {message.size}\b"
    assert re.search(row, _text("format.md"), re.MULTILINE)


def test_the_format_has_the_protocols_version_and_the_codec() -> None:
    text = _text("format.md")
    assert f"The protocol has version {messages.VERSION}," in text
    assert f"The codec is {codecs.ADPCM}, `adpcm`" in text
