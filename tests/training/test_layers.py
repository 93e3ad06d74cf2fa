"""The stages of training import only from those before them."""

import ast
from collections.abc import Iterator
from pathlib import Path

import bluering.training

ROOT = Path(bluering.training.__file__).parent
STAGES = ("speak", "augment", "fit", "ship", "run")


def _stage(module: str) -> int:
    """The place of a module's stage, -1 for what all of them share."""
    part = module.split(".")[2]
    return STAGES.index(part) if part in STAGES else -1


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{name.name}" for name in node.names)


def test_no_stage_imports_from_a_later_one() -> None:
    own = {path: path.relative_to(ROOT.parents[1]).with_suffix("") for path in ROOT.rglob("*.py")}
    pairs = [
        (".".join(module.parts), name) for path, module in own.items() for name in _imports(path)
    ]
    within = [(module, name) for module, name in pairs if name.startswith("bluering.training.")]
    assert len(within) > 100
    assert [pair for pair in within if _stage(pair[1]) > _stage(pair[0])] == []
