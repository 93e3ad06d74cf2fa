"""Through a loudspeaker to a board's microphone: what it hears counts, and where it heard it."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from bluering.audio import SoundError
from bluering.cli.validate import app
from bluering.sound_files import HOP, read
from bluering.validate import acoustic
from bluering.validate.acoustic import AcousticEngine
from bluering.validate.choose import choose_models
from bluering.validate.engines import EngineSpec, TargetError, acoustic_spec
from bluering.validate.mix import placed
from bluering.validate.reference import ReferenceEngine
from bluering.validate.runner import Here
from bluering.validate.session import carry_out, prepare
from bluering.validate.store import Store
from tests.silent import Silent
from tests.unit.sound_card import Board, Room

GATE_CORPUS = Path(__file__).parents[1] / "gate" / "corpus"
CLIPS = sorted(GATE_CORPUS.glob("positives/alexa/*"))[::10]
MODELS = choose_models(["alexa", "computer"])


def _engine(room: Room, speaker: str = "", muted: bool = False) -> AcousticEngine:
    board = Board(room, MODELS)
    board.muted = muted
    return AcousticEngine(board, room.sounddevice, speaker, MODELS)


def test_the_board_hears_what_is_played_when_it_is_played() -> None:
    room = Room()
    engine = _engine(room)
    reference = ReferenceEngine([model.blob for model in MODELS])
    assert engine.strides == reference.strides
    for path in CLIPS:
        played = placed(read(path)).astype(np.int16)
        heard, expected = engine.listen([played]), reference.listen([played])
        assert [len(output) for output in heard] == [len(output) for output in expected]
        alexa, computer = heard
        assert alexa.max() > 200
        assert computer.max() < 100
        # The board's hops begin elsewhere, so outputs differ a little and come a step apart.
        begins = [int(np.flatnonzero(output > 128)[0]) for output in (alexa, expected[0])]
        assert begins[0] == pytest.approx(begins[1], abs=2)
    assert len(CLIPS) == 3
    assert [options["samplerate"] for options in room.streams] == [100 * HOP] * 3


def open_in_room(spec: EngineSpec) -> AcousticEngine:
    """For EngineSpec."""
    assert spec.argument
    return _engine(Room())


def test_a_report_says_how_it_was_heard(tmp_path: Path) -> None:
    for path in (*CLIPS, GATE_CORPUS / "negatives/noise/fan.flac"):
        target = tmp_path / "corpus" / path.relative_to(GATE_CORPUS)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    asked = acoustic_spec("/dev/ttyACM9", "", MODELS)
    assert asked.one_at_a_time
    spec = EngineSpec(
        asked.target, f"{__name__}:open_in_room", MODELS, asked.argument, method=asked.method
    )
    prepared = prepare(tmp_path / "corpus", spec, ["clean"], seed=1)
    report = carry_out(prepared, Store(tmp_path / "parts", spec), Here(), Silent(), "")
    alexa = report.models[0].shipped
    assert report.target == "/dev/ttyACM9, by loudspeaker"
    assert any("loudspeaker" in sentence for sentence in report.method)
    assert (alexa.misses[0].clips, alexa.misses[0].missed) == (3, 0)
    assert alexa.overall is not None
    assert alexa.overall.count == 0


def test_a_board_that_tells_nothing_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acoustic, "_PATIENCE_SECONDS", 0.0)
    with pytest.raises(TargetError, match=r"tells no scores .* muted"):
        _engine(Room(), muted=True).listen([read(CLIPS[0])])


def test_a_board_that_falls_silent_in_the_middle_is_an_error() -> None:
    room = Room()
    board = Board(room, MODELS)
    engine = AcousticEngine(board, room.sounddevice, "", MODELS)

    def blocks():
        yield np.zeros(16_000, np.int16)
        board.muted = True
        yield np.zeros(8_000, np.int16)
        board.muted = False
        yield np.zeros(16_000, np.int16)

    with pytest.raises(TargetError, match=r"no scores for 0\.[45]\d s"):
        engine.listen(blocks())


def test_a_loudspeaker_that_is_not_there_is_an_error() -> None:
    with pytest.raises(SoundError, match=r"no such device.*--speaker"):
        _engine(Room(), speaker="broken").listen([read(CLIPS[0])])


def test_speakers_are_named_or_numbered() -> None:
    room = Room()
    _engine(room, speaker="3").listen([read(CLIPS[0])])
    _engine(room, speaker="usb").listen([read(CLIPS[0])])
    assert [options["device"] for options in room.streams] == [3, "usb"]


@pytest.mark.parametrize(
    ("stub", "said"),
    [
        ("raise OSError('PortAudio library not found')", "apt install libportaudio2"),
        ("raise ModuleNotFoundError('none', name='sounddevice')", "bluering[audio]"),
    ],
)
def test_what_is_missing_for_sound_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stub: str, said: str
) -> None:
    (tmp_path / "sounddevice.py").write_text(stub)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    with pytest.raises(SoundError, match="no access to") as caught:
        acoustic.open_acoustic(acoustic_spec("/dev/ttyACM9", "", MODELS))
    assert said in caught.value.hint


def test_it_needs_a_board() -> None:
    options = ["--model", "alexa", "--corpus", str(GATE_CORPUS), "--target", "virtual"]
    done = CliRunner().invoke(app, [*options, "--acoustic"])
    assert done.exit_code == 2
    assert "--acoustic needs a board" in done.output
