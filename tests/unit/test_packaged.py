"""Which models come with BlueRing, and how others are named."""

import json
import tomllib
from pathlib import Path

import pytest

from bluering.models import look
from bluering.models import packaged as models
from bluering.models.errors import ModelError
from bluering.models.packaged import chosen, packaged, packaged_names
from tests.peers import PEERS, peer

PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"


@pytest.fixture
def ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout whose models are those that a test puts there."""
    monkeypatch.setattr(models, "_CHECKOUT", tmp_path)
    return tmp_path


def _add(folder: Path, name: str) -> None:
    """The package's "okay_nabu" under another name."""
    manifest = json.loads(peer("okay_nabu").read_text())
    manifest |= {"model": f"{name}.tflite", "wake_word": name}
    folder.mkdir()
    (folder / f"{name}.tflite").write_bytes(peer("okay_nabu").with_suffix(".tflite").read_bytes())
    (folder / f"{name}.json").write_text(json.dumps(manifest))


def test_there_are_those_of_the_repository(ours: Path) -> None:
    assert packaged_names() == []
    _add(ours / "computer", "computer")
    _add(ours / "alexa", "alexa")
    assert packaged_names() == ["alexa", "computer"]
    assert packaged("computer").manifest.wake_word == "computer"
    assert packaged("alexa").source == ours / "alexa" / "alexa.tflite"


def test_any_other_is_named_by_its_manifest(ours: Path) -> None:
    _add(ours / "alexa", "alexa")
    assert chosen("alexa") == packaged("alexa")
    assert chosen(str(peer("alexa"))).source == peer("alexa").with_suffix(".tflite")


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_is_no_word_of_the_product(name: str) -> None:
    word = chosen(str(peer(name)))
    assert word.name == name
    assert name == "alexa" or name not in packaged_names()
    assert word.blob not in [packaged(ours).blob for ours in packaged_names()]


def test_a_peer_that_is_none_is_refused() -> None:
    with pytest.raises(LookupError, match="no model 'computer'"):
        peer("computer")


def test_an_evaluation_alone_is_no_model(ours: Path) -> None:
    (ours / "alexa").mkdir()
    (ours / "alexa" / "evaluation.json").write_text("{}")
    (ours / "training").mkdir()
    assert packaged_names() == []


def test_what_there_is_is_said_to_whoever_asks_for_another(ours: Path) -> None:
    _add(ours / "computer", "computer")
    with pytest.raises(ModelError, match="no packaged model 'hal'; there is computer"):
        packaged("hal")


def test_the_repository_s_models_are_they() -> None:
    names = sorted({path.parent.name for path in models._CHECKOUT.glob("*/*.tflite")})
    assert names == packaged_names()
    for name in names:
        assert packaged(name).source.parent == models._CHECKOUT / name


def test_a_wheel_has_of_our_models_what_a_device_and_its_owner_need() -> None:
    wheel = tomllib.loads(PYPROJECT.read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    left_out = [pattern.lstrip("/") for pattern in wheel["exclude"]]
    files = [path.relative_to(PYPROJECT.parent) for path in models._CHECKOUT.rglob("*.*")]
    kept = [f for f in files if not any(p.match(w) for w in left_out for p in (f, *f.parents))]
    wanted = [("CARD.md", f"{name}.json", f"{name}.tflite") for name in packaged_names()]
    assert {f.name for f in kept if not f.name.endswith(look.SUFFIX)} == set().union(*wanted)
    assert "models" in wheel["only-include"]
