"""The virtual board has what its chip and image have, and no more; a roomy one has plenty."""

import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluering import boards, demo
from bluering.cli import app
from bluering.models.packaged import packaged
from bluering.virtual import cable
from bluering.virtual.limits import Limits, Pace, limits
from bluering.virtual.runner import VirtualBoard, VirtualBoardError

BOARD = Path(boards.__file__).parents[3] / "boards" / "virtual.toml"
QUIET = bytes(32000)
BURST = 5000


def finds(tmp_path: Path, psram: str, word_size: int, wanted: int, roomy: bool = False) -> bool:
    """Whether a program that wants so many bytes of a board with that PSRAM finds them."""
    program = tmp_path / "wants.py"
    program.write_text(
        f"try:\n    bytearray({wanted})\n    print('found')\n"
        "except MemoryError:\n    print('missed')\n"
    )
    table = tmp_path / "virtual.toml"
    table.write_text(BOARD.read_text().replace('psram = "octal"', f'psram = "{psram}"'))
    made = VirtualBoard(
        [], iter(()), word_size=word_size, board=str(table), program=program, roomy=roomy
    )
    with made as board:
        said = os.read(board.from_device.fileno(), 64)
        board.wait()
    return {b"found": True, b"missed": False}[said.strip()]


def test_the_heap_is_that_of_the_image(tmp_path: Path, word_size: int) -> None:
    factor = 3 if word_size == 64 else 2
    internal, psram = 225_360 * factor // 2, 8_257_536 * factor // 2
    # A few hundred bytes are the runtime's own, and a 32nd of it or less marks what is in use.
    assert finds(tmp_path, "none", word_size, internal * 9 // 10)
    assert not finds(tmp_path, "none", word_size, internal * 11 // 10)
    assert finds(tmp_path, "octal", word_size, psram * 9 // 10)
    assert not finds(tmp_path, "octal", word_size, psram * 11 // 10)
    assert finds(tmp_path, "none", word_size, psram * 11 // 10, roomy=True)


def test_the_link_carries_10000_bytes_a_second(tmp_path: Path) -> None:
    program = tmp_path / "talks.py"
    program.write_text(f"import sys\nsys.stdout.write('x' * {BURST})\n")
    with VirtualBoard([], iter(()), pace="real", program=program) as board:
        began, got = 0.0, 0
        while data := os.read(board.from_device.fileno(), 65536):
            began = began or time.monotonic()
            got += len(data)
        assert got == BURST
        assert time.monotonic() - began >= 0.9 * BURST / 10_000


def test_input_that_is_not_read_is_held_back_behind_260_bytes() -> None:
    device, sink = os.pipe()
    ours = cable.inward(sink, 11_000, 260)
    sent = bytes(i & 255 for i in range(1000))
    os.write(ours, sent)
    time.sleep(0.3)  # far longer than all of it would take
    held = os.read(device, 65536)
    assert held == sent[:260]
    os.close(ours)
    rest = b""
    began = time.monotonic()
    while data := os.read(device, 65536):
        rest += data
    assert held + rest == sent
    assert time.monotonic() - began >= 0.9 * len(rest) / 11_000
    os.close(device)


def test_a_board_takes_input_no_faster(tmp_path: Path) -> None:
    program = tmp_path / "hears.py"
    program.write_text("import sys\nprint(len(sys.stdin.buffer.read(3000)))\n")
    with VirtualBoard([], iter(()), pace="real", program=program) as board:
        began = time.monotonic()
        board.to_device.write(bytes(3000))
        assert os.read(board.from_device.fileno(), 64).strip() == b"3000"
        assert time.monotonic() - began >= 0.9 * 3000 / 11_000


def test_a_board_that_has_gone_lets_go_of_its_input() -> None:
    device, sink = os.pipe()
    ours = cable.inward(sink, 11_000, 260)
    os.write(ours, bytes(1000))
    os.close(device)
    with pytest.raises(BrokenPipeError):
        for _ in range(500):
            os.write(ours, b"x")
            time.sleep(0.01)
    os.close(ours)


def test_writing_settings_takes_the_time_of_flash(tmp_path: Path) -> None:
    program = tmp_path / "writes.py"
    program.write_text(
        "import time\nfrom ear.settings import Settings\nsettings = Settings()\n"
        "began = time.ticks_us()\n"
        "for days in range(1, 11):\n    settings.set('retention_days', days)\n"
        "print(time.ticks_diff(time.ticks_us(), began))\n"
    )
    with VirtualBoard([], iter(()), pace="real", program=program) as board:
        said = b""
        while data := os.read(board.from_device.fileno(), 4096):
            said += data
        assert json.loads((board.flash / "settings.json").read_text()) == {"retention_days": 10}
    assert int(said) >= 10 * 49_500  # sleeping and measuring go by two clocks


@pytest.mark.parametrize("word_size", [64, 32])
def test_in_fast_pace_the_heap_alone_is_limited(word_size: int) -> None:
    board = boards.load("virtual")
    real = limits(board, word_size, "real", roomy=False)
    assert real.link_out == board.usb.link_rate == 10_000
    assert limits(board, word_size, "fast", roomy=False) == Limits(real.heap)


@pytest.mark.parametrize("pace", ["real", "fast"])
def test_a_roomy_board_has_no_limits(pace: Pace) -> None:
    lifted = limits(boards.load("virtual"), 64, pace, roomy=True)
    assert lifted == Limits(lifted.heap)
    assert lifted.heap > limits(boards.load("virtual"), 64, pace, roomy=False).heap


def test_the_firmware_knows_whether_its_link_is_limited() -> None:
    for roomy, rate in ((False, 10_000), (True, 0)):
        with VirtualBoard([packaged("alexa")], [QUIET], roomy=roomy) as board:
            table = (board.flash / "board_table.py").read_text()
        assert f"'link_rate': {rate}" in table.replace('"', "'")


def roomy_ones(*arguments: str, monkeypatch: pytest.MonkeyPatch) -> list[object]:
    """What a command says about ``roomy`` to the board that it starts."""
    asked = []

    def refuse(*_: object, **options: object) -> None:
        asked.append(options["roomy"])
        raise VirtualBoardError("enough was seen")

    monkeypatch.setattr("bluering.cli.virtual.VirtualBoard", refuse)
    monkeypatch.setattr("bluering.cli.demo.VirtualBoard", refuse)
    CliRunner().invoke(app, arguments)
    return asked


@pytest.mark.parametrize("command", [("virtual", str(demo.FLAC)), ("demo",)])
def test_commands_start_a_roomy_board_when_asked(
    command: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert roomy_ones(*command, monkeypatch=monkeypatch) == [False]
    assert roomy_ones(*command, "--roomy", monkeypatch=monkeypatch) == [True]
