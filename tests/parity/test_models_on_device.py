"""Loading and running a model on MicroPython: what is refused, and that nothing is allocated."""

from pathlib import Path

from bluering.models.packaged import packaged
from tests.targets.device import run


def test_damaged_models_are_refused_with_a_reason(micropython: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.ear"
    model.write_bytes(packaged("alexa").blob)
    assert run(micropython, "model_load.py", model) == "39 features, not 40\n"


def test_listening_allocates_nothing(micropython: Path, tmp_path: Path) -> None:
    model = tmp_path / "model.ear"
    model.write_bytes(packaged("alexa").blob)
    said = run(micropython, "model_heap.py", model).splitlines()
    assert said == ["800 steps, 11 wakes", "200 steps, 2 wakes"]
