"""From a packaged name or a manifest's path to a model and the clips of its word."""

import json
from pathlib import Path

import pytest

from bluering.models.errors import ModelError
from bluering.models.packaged import packaged
from bluering.validate.choose import choose_model, choose_models, compiled
from bluering.validate.engines import engine_spec
from bluering.validate.runner import Here
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store
from tests.silent import Silent
from tests.unit.validate_world import beep, write


def _own(folder: Path, word: str, stem: str) -> Path:
    """A model of another word: alexa's network under a manifest of its own."""
    alexa = packaged("alexa")
    content = json.loads(alexa.source.with_suffix(".json").read_text())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{stem}.tflite").write_bytes(alexa.source.read_bytes())
    content |= {"wake_word": word, "model": f"{stem}.tflite"}
    (folder / f"{stem}.json").write_text(json.dumps(content))
    return folder / f"{stem}.json"


def test_each_model_is_measured_on_the_clips_of_its_word(tmp_path: Path) -> None:
    for number, word in enumerate(["alexa", "hey_moon", "hey_moon", "echo"]):
        write(tmp_path / f"corpus/positives/{word}/{number}.wav", beep(0.1 + 0.01 * number))
    own = _own(tmp_path / "models", "Hey Moon", "moon")
    spec = engine_spec("reference", choose_models(["alexa", str(own)]))
    prepared = prepare(tmp_path / "corpus", spec, ["clean"], seed=1)
    report = carry_out(prepared, Store(tmp_path / "parts", spec), Here(), Silent(), "")
    assert [(m.name, m.word, len(m.clips)) for m in report.models] == [
        ("alexa", "alexa", 1),
        ("moon", "hey_moon", 2),
    ]


def test_two_models_of_one_name_are_told_apart(tmp_path: Path) -> None:
    own = str(_own(tmp_path, "Alexa", "alexa"))
    models = choose_models(["alexa", own])
    assert [model.name for model in models] == ["alexa", own]
    assert len({compiled(model).name for model in models}) == 2
    assert "/" not in compiled(models[1]).name
    assert choose_model(own).name == "alexa"


def test_a_model_named_twice_is_a_mistake() -> None:
    with pytest.raises(ModelError, match="alexa is named twice"):
        choose_models(["alexa", "computer", "alexa"])
