"""The host's engine: the bits of TFLM's front end and interpreter, in pieces of any length."""

from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from bluering.models.frontend import FrontEnd
from bluering.models.packaged import CompiledWord, compiled_word, packaged
from bluering.samples import Samples
from bluering.sound_files import HOP, RATE, read
from bluering.validate import plan
from bluering.validate.choose import choose_model
from bluering.validate.corpus import load_corpus
from bluering.validate.hear import hear
from bluering.validate.reference import ReferenceEngine
from bluering.validate.results import StreamResult, Trace
from bluering.validate.scoring import hop_scores
from tests.peers import peer

CLIPS = sorted((Path(__file__).parents[1] / "gate" / "corpus").rglob("*.flac"))


@pytest.fixture(scope="module")
def audio() -> Samples:
    """Words, sentences and noise, one after the other: about a minute."""
    assert len(CLIPS) > 20
    return np.concatenate([read(path) for path in CLIPS])


@pytest.mark.parametrize(
    ("word", "highest"),  # ours is never so sure: its scores are softened
    [(packaged("alexa"), 230), (compiled_word(peer("alexa")), 250)],
    ids=["ours", "peer"],
)
def test_it_gives_the_bits_of_tflm(audio: Samples, word: CompiledWord, highest: int) -> None:
    runtime = pytest.importorskip("tflite_micro", reason="tflite-micro has no wheel here").runtime
    frontend = pytest.importorskip("pymicro_features").MicroFrontend()
    interpreter = runtime.Interpreter.from_file(str(word.source))
    rows, expected = [], []
    for start in range(0, len(audio) // HOP * HOP, HOP):
        found = frontend.process_samples(audio[start : start + HOP].tobytes()).features
        if found:
            raw = np.rint(np.array(found) / 0.0390625).astype(int)
            rows.append(np.clip((raw * 256 + 333) // 666, 0, 255) - 128)
        if len(rows) == 3:
            interpreter.set_input(np.array([rows], np.int8), 0)
            interpreter.invoke()
            expected.append(int(interpreter.get_output(0).ravel()[0]))
            rows = []
    engine = ReferenceEngine([word.blob])
    (outputs,) = engine.listen([audio])
    assert len(outputs) > 1500
    assert max(outputs) > highest
    assert outputs.tolist() == expected


def test_blocks_of_any_length_give_the_same(audio: Samples) -> None:
    engine = ReferenceEngine([choose_model("alexa").blob])
    (whole,) = engine.listen([audio])
    cuts = np.sort(np.random.default_rng(0).integers(0, len(audio), 200))
    (pieces,) = engine.listen(np.split(audio, cuts))
    assert np.array_equal(pieces, whole)


def test_models_share_a_front_end_and_nothing_else(audio: Samples) -> None:
    blobs = [choose_model(name).blob for name in ("alexa", "computer")]
    together = ReferenceEngine(blobs)
    alone = [ReferenceEngine([blob]).listen([audio])[0] for blob in blobs]
    both = together.listen([audio])
    assert [output.tolist() for output in both] == [output.tolist() for output in alone]
    assert together.strides == (3, 3)
    assert alone[0].tolist() != alone[1].tolist()


@pytest.mark.parametrize(("samples", "rows"), [(0, 0), (479, 0), (480, 1), (639, 1), (640, 2)])
def test_the_first_row_needs_three_hops(samples: int, rows: int) -> None:
    assert FrontEnd().push(np.zeros(samples, np.int16)).shape == (rows, 40)


def test_stretches_are_heard_as_one_long_listening(
    audio: Samples, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of the recording before is enough for the same bits as all that came before."""
    monkeypatch.setattr(plan, "STRETCH_SECONDS", 20.0)
    first, second = audio[: 2701 * HOP], audio[-2000 * HOP :]  # so that steps end alike in both
    for number, samples in enumerate((first, second)):
        path = tmp_path / f"negatives/tv/{number}.flac"
        path.parent.mkdir(parents=True, exist_ok=True)
        sf.write(path, samples, RATE)
    parts = plan.make_plan(load_corpus(tmp_path, {"alexa"}), [], seed=0).streams
    engine = ReferenceEngine([choose_model("alexa").blob])
    results = [hear(part, engine) for part in parts]
    pieces = [
        hop_scores(result.traces[0], 5, result.hops)
        for result in results
        if isinstance(result, StreamResult)
    ]
    (whole,) = engine.listen([first, second])
    expected = hop_scores(Trace(whole, 5, 3, 74), 5, 4701)
    assert len(pieces) == 2
    assert np.concatenate(pieces).tolist() == expected.tolist()
    assert np.count_nonzero(pieces[1]) > 20
