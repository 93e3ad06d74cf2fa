"""Make the table in ``docs/boards.md`` from the board files.

``python -m bluering.boards.page`` writes it between its two comments; a test fails when it doesn't
say what the files say.
"""

from pathlib import Path

from bluering.boards import Board, load, names
from bluering.boards.schema import Pin

PAGE = Path(__file__).parents[3] / "docs" / "boards.md"
_BEGIN, _END = "<!-- python -m bluering.boards.page -->\n", "<!-- end -->\n"
_HEAD = (
    *("board", "works", "flash, MiB", "PSRAM", "stock image"),
    *("microphone: SCK, WS, SD", "light: data, clock", "mute", "button"),
)


def updated(text: str) -> str:
    """The page ``text`` with the table as the board files have it."""
    before, _, rest = text.partition(_BEGIN)
    _, _, after = rest.partition(_END)
    return f"{before}{_BEGIN}{table()}{_END}{after}"


def table() -> str:
    """The boards as a Markdown table, those that work first; the virtual one has no pins."""
    known = [board for board in map(load, names()) if board.firmware]
    known.sort(key=lambda board: ("yes", "untested", "no").index(board.supported))
    rows = [_HEAD, ("---",) * len(_HEAD), *map(_row, known)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


def _row(board: Board) -> tuple[str, ...]:
    mic, led = board.microphone, board.led
    return (
        f"`{board.name}`: {board.title}",
        board.supported,
        str(board.chip.flash_mib or "-"),
        board.chip.psram or "-",
        f"`{board.firmware.stock}`" if board.firmware else "-",
        f"{mic.sck.gpio}, {mic.ws.gpio}, {mic.sd.gpio} ({mic.kind})",
        f"{led.count} {led.kind} on {_gpios(led.pin, led.clock)}" if led else "-",
        _gpios(board.mute.pin) if board.mute else "-",
        _gpios(board.button.pin) if board.button else "-",
    )


def _gpios(*pins: Pin | None) -> str:
    return ", ".join(str(pin.gpio) for pin in pins if pin)


if __name__ == "__main__":
    PAGE.write_text(updated(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
