"""Words that don't find room are refused before anything is written, with the sum."""

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluering import boards
from bluering.boards.schema import Board
from bluering.cli import app
from bluering.flash import firmware, image, memory
from bluering.flash.errors import ImageError
from bluering.flash.identity import Identity
from bluering.flash.memory import INTERNAL, PSRAM
from tests.targets import stock

DEVKIT = boards.load("esp32s3-devkitc-1")
DEVICE = Identity(bytes(8), bytes(32))
BLOB = 38_516  # of each packaged model
PAGE = Path(__file__).parents[2] / "docs" / "memory.md"


@dataclass(frozen=True)
class Settings:
    def model_dump_json(self) -> str:
        return "{}"


@dataclass(frozen=True)
class Word:
    name: str
    blob: bytes = bytes(BLOB)
    manifest: Settings = Settings()


def _board(psram: str) -> Board:
    return DEVKIT.model_copy(update={"chip": DEVKIT.chip.model_copy(update={"psram": psram})})


def _build(board: Board, count: int) -> bytes:
    octal = board.chip.psram == "octal"
    name = "Generic ESP32S3 module with Octal-SPIRAM" if octal else "Generic ESP32S3 module"
    parsed = firmware.parse(stock.stock_image(board=name))
    return image.build(board, [Word(f"word{i}") for i in range(count)], parsed, DEVICE)


def test_the_sum_is_told_and_what_to_do() -> None:
    with pytest.raises(ImageError) as caught:
        _build(_board("none"), 2)
    said = str(caught.value)
    terms, there = said.split(": ")[1].split(" = ")
    numbers = [int(text.replace(",", "")) for text in re.findall(r"\b[\d,]{4,}\b", terms)]
    whole, heap = (int(text.replace(",", "")) for text in re.findall(r"[\d,]{4,}", there))
    assert sum(numbers) == whole > heap == INTERNAL.heap
    assert "word0" in said
    assert "stay free 40,960" in said
    hint = "name one word, or take a board with PSRAM and the stock image that uses it"
    assert caught.value.hint == hint


@pytest.mark.parametrize(("psram", "most"), [("none", 1), ("quad", 32), ("octal", 32)])
def test_as_many_words_as_the_page_says_fit(psram: str, most: int) -> None:
    board = _board(psram)
    there = memory.of(board, psram == "octal")
    assert memory.words_that_fit(there, BLOB) == most
    image.fits(board, psram == "octal", [Word(f"word{i}") for i in range(most)])
    with pytest.raises(ImageError):
        image.fits(board, psram == "octal", [Word(f"word{i}") for i in range(most + 1)])


def test_octal_psram_that_the_image_leaves_unused_is_no_room() -> None:
    assert memory.of(_board("octal"), needs_octal=False) is INTERNAL
    assert memory.of(_board("octal"), needs_octal=True) is PSRAM


def test_an_image_with_psram_takes_three_words() -> None:
    assert "/models/word2.ear" in image.read(_build(_board("octal"), 3)).files


def test_the_virtual_board_refuses_more_than_a_board_holds(monkeypatch) -> None:
    names = [f"word{i}" for i in range(33)]
    monkeypatch.setattr("bluering.cli.virtual.chosen", Word)
    options = [text for name in names for text in ("--word", name)]
    result = CliRunner().invoke(app, ["virtual", "silence.wav", *options])
    assert result.exit_code
    assert "33 words are too many: a board with PSRAM holds 32" in str(result.exception)


def test_the_page_says_what_the_code_does() -> None:
    text = PAGE.read_text()
    rows = dict(re.findall(r"^\| ([^|]+?) \|.*?\| *([\d,]+) \|", text, re.MULTILINE))
    budget = {
        "the application, listening": memory.APPLICATION,
        "a word, beside its model": memory.WORD,
        "recording": memory.RECORDING,
        "pre-roll": memory.PRE_ROLL,
        "to stay free": memory.FREE,
        "heap without PSRAM": INTERNAL.heap,
        "heap with 2 MB of PSRAM": PSRAM.heap,
    }
    told = {name: int(rows[name].replace(",", "")) for name in budget}
    assert told == budget
    fit = dict(re.findall(r"^\| (without PSRAM|with PSRAM) \|.*\| (\d+) \|$", text, re.MULTILINE))
    for there in (INTERNAL, PSRAM):
        assert int(fit[there.title]) == memory.words_that_fit(there, BLOB)
