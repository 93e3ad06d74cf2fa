"""Each fact is declared in one place: no constant has a twin of its name and value elsewhere."""

import ast
from collections import defaultdict
from pathlib import Path
from typing import Any

from tests.unit.source_modules import ROOT, sources, tree

# By name without underscores, and value: why two of them are alike by chance.
COINCIDENCES = {
    ("CHUNK", "4096"): "how much one reader takes at a time",
    ("CHUNK", "65536"): "how much one reader takes at a time",
    ("KEY_SIZE", "32"): "a key of AES-256, and one of a device's HMAC",
    ("PATIENCE_S", "10.0"): "each wait is as long as what it waits for takes",
    ("POLL_S", "0.2"): "each wait is as long as what it waits for takes",
    ("QUIET_S", "1.0"): "each wait is as long as what it waits for takes",
    ("RESET_CODE", "85"): "the stand-in runs on MicroPython, where the host's package isn't",
    ("RETRY_S", "0.25"): "each wait is as long as what it waits for takes",
    ("VERSION", "1"): "each format counts its own versions",
}
# A migration stays as it was written, and Alembic wants the same names in each; an assembler
# kernel's source is read by its builder alone, and its numbers are held to its twin's by bits;
# training has a vocabulary of its own.
LEFT_OUT = ("/migrations/versions/", "firmware/native/", "host/bluering/training/")


def constants(module: ast.Module) -> dict[str, str]:
    """A module's constants, by name without underscores: their values as Python writes them."""
    known: dict[str, Any] = {}
    found = {}
    for node in module.body:
        for name, value in _assigned(node):
            try:
                known[name] = _evaluated(value, known)
            except Exception:
                if isinstance(value, ast.Subscript | ast.BinOp):  # a type, or made of imported ones
                    found[_stem(name)] = ast.unparse(value)
                continue
            found[_stem(name)] = repr(known[name])
    return found


def _assigned(node: ast.stmt) -> list[tuple[str, ast.expr]]:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        targets, value = [node.target], node.value
    elif isinstance(node, ast.Assign):
        targets, value = node.targets, node.value
    else:
        return []
    pairs: list[tuple[str, ast.expr]] = []
    for target in targets:
        if isinstance(target, ast.Name):
            pairs.append((target.id, value))
        elif isinstance(target, ast.Tuple) and isinstance(value, ast.Tuple):
            pairs += [
                (t.id, v)
                for t, v in zip(target.elts, value.elts, strict=True)
                if isinstance(t, ast.Name)
            ]
    return pairs


def _evaluated(value: ast.expr, known: dict[str, Any]) -> Any:
    """What literals and the module's own constants make; const() is MicroPython's."""
    names = {"__builtins__": {}, "const": lambda number: number, **known}
    return eval(compile(ast.Expression(value), "constant", "eval"), names)


def _stem(name: str) -> str:
    return name.strip("_").upper()


def _scanned() -> list[Path]:
    return [path for path in sources() if not any(out in path.as_posix() for out in LEFT_OUT)]


def twins() -> dict[tuple[str, str], list[str]]:
    places = defaultdict(list)
    for path in _scanned():
        for fact in constants(tree(path)).items():
            places[fact].append(str(path.relative_to(ROOT)))
    return {fact: files for fact, files in places.items() if len(files) > 1}


def test_no_constant_has_a_twin():
    found = {fact: files for fact, files in twins().items() if fact not in COINCIDENCES}
    assert not found


def test_every_coincidence_is_still_one():
    assert set(COINCIDENCES) <= set(twins())


def test_what_is_a_constant():
    module = ast.parse(
        "_RATE = 16_000\n_HOP: int = _RATE // 100\n_A, _B = 1 << 2, const(5)\n"
        "Samples = NDArray[np.int16]\n_STEP = OTHER * 2\napp = Typer('x')\n"
        "def f():\n    LOCAL = 3\n"
    )
    assert constants(module) == {
        "RATE": "16000",
        "HOP": "160",
        "A": "4",
        "B": "5",
        "SAMPLES": "NDArray[np.int16]",
        "STEP": "OTHER * 2",
    }


def test_the_sample_rate_is_a_number_in_one_file():
    places = [
        str(path.relative_to(ROOT))
        for path in _scanned()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and node.value == 16000
    ]
    assert places == ["firmware/ear/audio/format.py"]


def test_a_key_s_label_is_written_in_one_file():
    places = defaultdict(set)
    for path in _scanned():
        for node in ast.walk(tree(path)):
            label = getattr(node, "value", None)
            if isinstance(label, bytes) and label.startswith(b"bluering "):
                places[label].add(path)
    assert len(places) >= 3
    assert all(len(files) == 1 for files in places.values()), places
