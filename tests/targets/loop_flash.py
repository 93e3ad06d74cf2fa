"""``loop_flash.py FOLDER RECORD WORD...``: a board's flash with the application, compiled for i386.

A program by itself, so that it can be run with the sources of another commit.
"""

import sys
from pathlib import Path

from bluering import boards
from bluering.flash import application
from bluering.models.packaged import packaged
from bluering.virtual.runner import Identity, fill, provision

BOARD = "esp32s3-devkitc-1"
LONGEST = 60  # seconds that a recording may take: longer than any that is counted


def write(folder: Path, record: bool, words: list[str]) -> None:
    """Write it into an empty folder; ``record``: the owner allows recordings."""
    board = boards.load(BOARD)
    fill(folder, [packaged(word) for word in words], board)
    settings = {"record": record, "longest_s": LONGEST}
    provision(folder, Identity(bytes(8), bytes(32)), settings)
    (folder / "board_table.py").unlink()
    for name, data in application.compiled(board, "x86").items():
        path = folder / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


if __name__ == "__main__":
    write(Path(sys.argv[1]), sys.argv[2] == "record", sys.argv[3:])
