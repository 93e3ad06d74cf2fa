"""The second look: what it takes, what it says when it can't, and what it does to real wakes."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bluering import audio
from bluering.cli import app
from bluering.errors import BlueRingError
from bluering.link.records import RecordingChunk, RecordingStart
from bluering.models import look
from bluering.models.errors import ModelError
from bluering.models.packaged import packaged
from bluering.vault.assembly import Assembly, recording_keys
from bluering.vault.second_look import SecondLook, by_model, by_the_same_model
from ear.privacy.recording import CONSENT_PRE_ROLL
from tests.unit import sound_world

CALLS = sorted(
    (Path(__file__).parents[1] / "gate" / "corpus" / "positives" / "alexa").glob("*.flac")
)
HOP = 160


@pytest.fixture(scope="module")
def alexa():
    return packaged("alexa")


def _assembly(sound: np.ndarray, pre_roll: int = 8000, **changes) -> Assembly:
    """A recording that begins like this, in pieces of 10 ms."""
    start = sound_world.recording()[0]
    assert isinstance(start, RecordingStart)
    sha256 = bytes.fromhex(look.find_look(packaged("alexa")).model_sha256)
    start = replace(
        start, consent=CONSENT_PRE_ROLL, pre_roll=pre_roll, model_sha256=sha256, **changes
    )
    assembly = Assembly(start, recording_keys(sound_world.KEY, start))
    for at in range(0, len(sound) - HOP + 1, HOP):
        assembly._pieces[at // HOP] = at, sound[at : at + HOP]
    return assembly


def test_it_confirms_real_wakes_and_rejects_what_only_sounds_alike(dev_corpus: Path, alexa):
    """Half a second before the wake is enough for 95 % of them."""
    import csv

    with (dev_corpus / "manifest.csv").open() as file:
        paths = [row["path"] for row in csv.DictReader(file) if row["label"] == "alexa"]
    looking = look.examiner(alexa)
    heard = [look.first_wake(alexa, audio.read(dev_corpus / path)) for path in paths[::2]]
    scores = [looking.score(sound) for sound in heard if sound is not None]
    confirmed = np.mean(np.array(scores) > looking.look.cutoff)
    print(f"confirms {confirmed:.1%} of {len(scores)}")
    assert len(scores) > 70
    assert confirmed >= 0.95


def test_it_judges_as_soon_as_it_can(alexa):
    """Calls by synthetic voices are words, the same sound backwards isn't."""
    judge = SecondLook(by_the_same_model())
    verdicts = []
    for path in CALLS:
        heard = look.first_wake(alexa, audio.read(path))
        if heard is None:
            continue
        assert judge(_assembly(heard[:-HOP])) is None
        verdicts.append(judge(_assembly(heard)))
        assert judge(_assembly(heard[::-1].copy())) is False
    assert len(verdicts) > 15
    assert sum(verdict is True for verdict in verdicts) >= 0.8 * len(verdicts)


def test_a_gap_where_it_would_listen_is_waited_for(alexa):
    heard = look.first_wake(alexa, audio.read(CALLS[4]))
    assert heard is not None
    assembly = _assembly(heard)
    piece = assembly._pieces.pop(20)
    judge = SecondLook(by_model(alexa))
    assert judge(assembly) is None
    assembly._pieces[20] = piece
    assert judge(assembly) is True


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"consent": 0, "pre_roll": 0}, "config set pre_roll on"),
        ({"pre_roll": 1600}, "too soon"),
        ({"model_sha256": bytes(32)}, "no model here is the one that woke"),
    ],
)
def test_what_it_cannot_judge_it_says(changes: dict, words: str):
    assembly = _assembly(np.zeros(20000, np.int16))
    assembly.start = replace(assembly.start, **changes)
    verdict = SecondLook(by_the_same_model())(assembly)
    assert isinstance(verdict, str)
    assert words in verdict
    assert isinstance(sound_world.recording()[1], RecordingChunk)


def test_a_model_without_a_look_is_refused():
    with pytest.raises(ModelError, match="has no second look") as caught:
        look.examiner(packaged("computer"))
    assert "bluering model second-look" in caught.value.hint
    other = look.find_look(packaged("alexa")).model_copy(update={"model_sha256": "0" * 64})
    with pytest.raises(ModelError, match="another version"):
        look.examiner(packaged("alexa"), other)


def test_the_command_makes_one(tmp_path: Path, alexa):
    """Chosen so that it confirms what it was told to."""
    output = tmp_path / "alexa.look.json"
    clips = [str(path) for path in CALLS[::3]]
    arguments = ["alexa", *clips, "--call", str(CALLS[4]), "-o", str(output), "--confirm", "0.75"]
    result = CliRunner().invoke(app, ["model", "second-look", *arguments])
    assert result.exit_code == 0, result.output
    made = look.read_look(output)
    scores = [
        look.examiner(alexa, made).score(heard)
        for path in CALLS[::3]
        if (heard := look.first_wake(alexa, audio.read(path))) is not None
    ]
    assert np.mean(np.array(scores) > made.cutoff) >= 0.75
    output.write_text(json.dumps({"cutoff": 300}))
    with pytest.raises(ModelError, match="can't be used"):
        look.read_look(output)


def test_listen_wants_the_pre_roll_too():
    result = CliRunner().invoke(app, ["listen", "--second-look", "own"])
    assert isinstance(result.exception, BlueRingError)
    assert "--pre-roll" in result.exception.hint
