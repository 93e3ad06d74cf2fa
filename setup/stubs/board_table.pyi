"""What the host compiles a board's file into; see bluering.boards.table."""

from typing import Any

BOARD: dict[str, Any]
