"""The modules of the host and the firmware, as their source says."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "host", ROOT / "firmware")
# Neither imports what is beside it: assembler kernels are read by their builder alone, and the
# stand-ins take the names of MicroPython's own modules.
ALONE = (ROOT / "firmware" / "native", ROOT / "host" / "bluering" / "virtual" / "standins")


@cache
def modules() -> dict[str, Path]:
    """Every module that others can import: its dotted name, its file."""
    return {
        _name(folder, path): path
        for folder in FOLDERS
        for path in sorted(folder.rglob("*.py"))
        if not any(alone in path.parents for alone in ALONE)
    }


@cache
def tree(path: Path) -> ast.Module:
    """A file's syntax tree."""
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(name: str) -> set[str]:
    """The modules that a module imports, wherever in it: at its top, in a function, for types."""
    known = modules()
    found: set[str] = set()
    for node in ast.walk(tree(known[name])):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{known[name]}: imports here name the whole path"
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                found.add(inner if inner in known else str(node.module))
    return {module for module in found if module in known} - {name}


def sources() -> Iterator[Path]:
    """Every file of Python, those that stand alone too."""
    for folder in FOLDERS:
        yield from sorted(folder.rglob("*.py"))


def _name(folder: Path, path: Path) -> str:
    parts = path.relative_to(folder).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
