"""Write a board as TOML, in the order of the schema."""

import json

from bluering.boards.schema import Board


def dump(board: Board) -> str:
    """The text of a board file that says exactly what ``board`` does."""
    data = board.model_dump(exclude_none=True)
    lines = [f"{key} = {_value(data[key])}" for key in data if not isinstance(data[key], dict)]
    for key, table in data.items():
        if isinstance(table, dict) and table:
            lines += ["", f"[{key}]", *(f"{name} = {_value(v)}" for name, v in table.items())]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_value(v)}" for key, v in value.items()) + " }"
    # A JSON string or integer is a TOML one, apart from DEL, which no title or source holds.
    return json.dumps(value, ensure_ascii=False)
