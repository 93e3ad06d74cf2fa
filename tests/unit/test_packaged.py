"""Which models come with BlueRing, and whose it is where two have one name."""

import json
from pathlib import Path

import pytest

from bluering.models import packaged as models
from bluering.models.errors import ModelError
from bluering.models.packaged import chosen, packaged, packaged_names, peer


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose models are those that a test puts there."""
    monkeypatch.setattr(models, "_CHECKOUT", tmp_path)
    return tmp_path


def _add(folder: Path, name: str, like: str = "okay_nabu") -> None:
    source = packaged(like).source
    folder.mkdir()
    (folder / f"{name}.tflite").write_bytes(source.read_bytes())
    manifest = json.loads(source.with_suffix(".json").read_text())
    manifest |= {"model": f"{name}.tflite", "wake_word": name}
    (folder / f"{name}.json").write_text(json.dumps(manifest))


def test_there_are_those_of_the_package(ours: Path) -> None:
    assert packaged_names() == ["alexa", "hey_jarvis", "hey_mycroft", "okay_nabu"]
    assert ours not in packaged("alexa").source.parents


def test_of_two_with_one_name_our_own_counts(ours: Path) -> None:
    _add(ours / "hey_jarvis", "hey_jarvis")
    _add(ours / "computer", "computer")
    assert packaged_names() == ["alexa", "computer", "hey_jarvis", "hey_mycroft", "okay_nabu"]
    assert packaged("hey_jarvis").source == ours / "hey_jarvis" / "hey_jarvis.tflite"
    assert peer("hey_jarvis") != ours / "hey_jarvis" / "hey_jarvis.json"
    assert packaged("computer").manifest.wake_word == "computer"


def test_the_other_of_two_is_named_by_its_manifest(ours: Path) -> None:
    _add(ours / "alexa", "alexa")
    assert chosen("alexa") == packaged("alexa")
    assert chosen("alexa").source == ours / "alexa" / "alexa.tflite"
    assert chosen(str(peer("alexa"))).source == peer("alexa").with_suffix(".tflite")


def test_a_peer_that_is_none_is_refused() -> None:
    with pytest.raises(ModelError, match="no model 'computer'"):
        peer("computer")


def test_an_evaluation_alone_is_no_model(ours: Path) -> None:
    (ours / "alexa").mkdir()
    (ours / "alexa" / "evaluation.json").write_text("{}")
    (ours / "training").mkdir()
    assert "evaluation" not in packaged_names()
    assert ours not in packaged("alexa").source.parents


@pytest.mark.usefixtures("ours")
def test_what_there_is_is_said_to_whoever_asks_for_another() -> None:
    with pytest.raises(ModelError, match="no packaged model 'hal'; there is alexa, hey_jarvis"):
        packaged("hal")


def test_the_repository_s_models_are_among_them() -> None:
    names = {path.parent.name for path in models._CHECKOUT.glob("*/*.tflite")}
    assert names <= set(packaged_names())
    for name in names:
        assert packaged(name).source.parent == models._CHECKOUT / name
