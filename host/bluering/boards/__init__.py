"""Boards as data: one TOML file each, checked here, compiled into the table of the device."""

from bluering.boards import table
from bluering.boards.loader import BoardError, load, names
from bluering.boards.schema import Board

__all__ = ["Board", "BoardError", "load", "names", "table"]
