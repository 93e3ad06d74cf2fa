"""`bluering train`, every stage on hardly any data."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bluering.models.compiled import parse_compiled
from bluering.models.manifest import read_manifest
from bluering.models.packaged import compiled_word
from bluering.training.ship.card import recipe_place
from bluering.validate.report.schema import read_report

ROOT = Path(__file__).parents[2]


def _train(*options: str, cache: Path) -> subprocess.CompletedProcess[str]:
    command = [str(Path(sys.executable).with_name("bluering")), "train", *options]
    environment = os.environ | {
        "BLUERING_TRAIN_CACHE": str(cache),
        "BLUERING_VOICES": str(cache / "voices"),
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def _smoke(
    recipe: Path, output: Path, cache: Path, *more: str, jobs: int = 2
) -> subprocess.CompletedProcess[str]:
    absent = str(cache / "no-corpus" / "manifest.csv")
    options = ("--smoke", "--jobs", str(jobs), "--corpus", absent, "-o", str(output), *more)
    return _train(str(recipe), *options, cache=cache)


@pytest.mark.slow
def test_from_a_word_to_a_model_twice_the_same(tmp_path: Path) -> None:
    recipe = tmp_path / "alexa.toml"
    recipe.write_text('phrase = "Alexa"\nnoise_by = "both"\n')
    first = _smoke(recipe, tmp_path / "first", tmp_path / "cache")
    assert first.returncode == 0, first.stderr
    made = ("synthesise", "augment", "featurise", "teach", "evaluate", "write")
    for stage in (*made, "train", "train 2", "branch 1", "quantise"):
        assert f"{stage}: " in first.stderr
    folder = tmp_path / "first"
    manifest = read_manifest(folder / "alexa.json")
    assert manifest.wake_word == "Alexa"
    model = (folder / "alexa.tflite").read_bytes()
    header = parse_compiled(compiled_word(folder / "alexa.json").blob).header
    assert header.source_sha256 == hashlib.sha256(model).digest()
    synthetic = read_report(folder / "synthetic.json")
    assert " --omit-names " in synthetic.command
    clean = synthetic.models[0].points[0].condition("clean")
    assert clean is not None
    assert clean.clips == 12
    assert {found.by for found in clean.slices} >= {"engine", "speed", "pitch", "level"}
    card = (folder / "CARD.md").read_text()
    assert "There were no recordings to choose it on" in card
    assert "from the recipe in its lock;" in card
    record = json.loads((folder / "lock.json").read_text())
    assert record["packages"]["torch"]["version"]
    assert record["model"] == hashlib.sha256(model).hexdigest()
    assert record["int8 against float"]["clips"] == 12

    # The same with an empty cache and one process.
    anew = _smoke(recipe, tmp_path / "anew", tmp_path / "other", jobs=1)
    for stage in ("train", "train 2"):
        assert f"{stage}: 30 of 30" in anew.stderr
    for file in ("alexa.tflite", "alexa.json"):
        assert (tmp_path / "anew" / file).read_bytes() == (folder / file).read_bytes()

    # With everything in the cache nothing is trained again.
    kept = {file: (folder / file).read_bytes() for file in ("lock.json", "alexa.tflite", "CARD.md")}
    again = _smoke(recipe, folder, tmp_path / "cache")
    assert again.returncode == 0, again.stderr
    assert "train: " not in again.stderr
    assert {file: (folder / file).read_bytes() for file in kept} == kept


def test_a_card_says_where_the_recipe_is() -> None:
    assert recipe_place(ROOT / "models/echo", "echo") == "[the recipe](../training/echo.toml)"
    assert recipe_place(ROOT / "models/moon", "hey_moon") == "the recipe in its lock"


def test_anything_but_a_phrase_is_refused(tmp_path: Path) -> None:
    done = _train("hal 9000", cache=tmp_path)
    assert done.returncode != 0
    assert "neither a recipe nor an English phrase" in done.stderr


def test_check_warns_of_a_poor_phrase_and_does_nothing_else(tmp_path: Path) -> None:
    done = _train("echo", "--check", cache=tmp_path)
    assert done.returncode == 0
    assert "3 sounds" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_missing_voices_name_the_remedy(tmp_path: Path) -> None:
    recipe = tmp_path / "r.toml"
    recipe.write_text('phrase = "alexa"\n[speech]\nword = { kokoro = 5 }\n')
    done = _train(str(recipe), "--jobs", "1", "-o", str(tmp_path / "m"), cache=tmp_path / "c")
    assert done.returncode != 0
    assert "setup/voices.sh" in done.stderr
    assert not (tmp_path / "m").exists()
