"""Pages out of Jinja2's templates; everything that is put into one is escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined


def templates(folder: Path, **known: Any) -> Environment:
    """The templates of a folder; ``known`` by name in all of them.

    A value that is missing fails the page. What is HTML already comes as ``Markup``.
    """
    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(known)
    return environment
