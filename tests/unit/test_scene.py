"""The demo's scene: models hear its wake words and nothing else in it."""

import subprocess
import sys
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soundfile

from bluering import demo
from bluering.models.packaged import CompiledWord, compiled_word, packaged
from bluering.models.reference import Reference
from ear.audio.format import RATE
from tests.peers import PEERS, peer

HOP_SECONDS = 0.01
CALLS = ["alexa"] * 5 + ["computer", "hey_echo"]


def samples() -> np.ndarray:
    return soundfile.read(demo.FLAC, dtype="int16")[0]


def loudness(start: float, end: float) -> float:
    part = samples()[round(start * RATE) : round(end * RATE)].astype(float)
    return float(np.sqrt(np.mean(part**2)))


@cache
def features(delay: int) -> np.ndarray:
    """int8 rows of 40 by the reference front end, the scene delayed by some samples."""
    frontend = pytest.importorskip("pymicro_features").MicroFrontend()
    delayed = np.concatenate([np.zeros(delay, np.int16), samples()]).tobytes()
    rows = []
    for at in range(0, len(delayed) - 319, 320):
        found = frontend.process_samples(delayed[at : at + 320]).features
        if found:
            raw = np.rint(np.array(found) / 0.0390625).astype(np.int32)
            rows.append(np.clip((raw * 256 + 333) // 666, 0, 255) - 128)
    return np.array(rows, np.int8)


def means(word: CompiledWord, delay: int) -> tuple[np.ndarray, np.ndarray]:
    """The sliding means of what a word's network says, 0..255, and when each was there."""
    outputs = said(word.source, delay)
    window, stride = word.manifest.window, Reference(word.blob).stride
    sliding = np.convolve(outputs, np.full(window, 1 / window))[: len(outputs)]
    # A row is there once its window's last sample is: 30 ms for the first, then every hop.
    seconds = (np.arange(1, len(outputs) + 1) * stride + 2) * HOP_SECONDS - delay / RATE
    return sliding, seconds


def said(model: Path, delay: int) -> np.ndarray:
    """What a network says after each of its steps, 0..255."""
    runtime = pytest.importorskip(
        "tflite_micro.python.tflite_micro.runtime",
        reason="tflite-micro has no wheel for this Python",
    )
    interpreter = runtime.Interpreter.from_file(str(model))
    shape = interpreter.get_input_details(0)["shape"]
    stride, rows, outputs = int(shape[1]), features(delay), []
    for at in range(0, len(rows) - stride + 1, stride):
        interpreter.set_input(rows[at : at + stride].reshape(shape), 0)
        interpreter.invoke()
        outputs.append(interpreter.get_output(0).item())
    return np.array(outputs)


def test_is_a_small_file_of_about_a_minute():
    info = soundfile.info(demo.FLAC)
    assert (info.samplerate, info.channels, info.subtype) == (16_000, 1, "PCM_16")
    assert 50 < info.duration < 75
    assert info.duration == pytest.approx(demo.truth().seconds, abs=0.01)
    assert demo.FLAC.stat().st_size < 1_200_000


def test_is_talk_then_calls_by_several_voices_then_talk():
    truth = demo.truth()
    meant = [utterance.word for utterance in truth.utterances]
    assert meant == [None] * 6 + CALLS + [None] * 4
    assert [call.word for call in truth.calls] == CALLS
    assert len({call.voice for call in truth.calls if call.word == "alexa"}) == 5


def test_truth_tells_where_the_words_are():
    for call in demo.truth().calls:
        spoken = loudness(call.start, call.end)
        assert spoken > 20 * loudness(call.start - 0.3, call.start)
        assert spoken > 20 * loudness(call.end, call.end + 0.3)


# The stride's and the hop's place in the sound is chance: no place may change what is heard.
@pytest.mark.parametrize("delay", [0, 53, 267])
@pytest.mark.parametrize("word", PEERS)
def test_reference_models_hear_the_calls_and_only_them(word: str, delay: int):
    model = compiled_word(peer(word))
    sliding, seconds = means(model, delay)
    cutoff = model.manifest.cutoff
    elsewhere = np.ones(len(sliding), bool)
    for call in demo.truth().calls:
        if call.word == word:
            near = (seconds > call.start) & (seconds < call.end + 1.0)
            above = seconds[near & (sliding > cutoff)]
            assert len(above) >= 5, call
            assert above[0] < call.end + 0.4, call
            elsewhere &= ~near
    assert sliding[elsewhere].max() < cutoff / 2


@pytest.mark.parametrize("delay", [0, 53, 267])
@pytest.mark.parametrize("word", dict.fromkeys(CALLS))
def test_our_own_models_hear_the_calls_and_only_them(word: str, delay: int):
    model = packaged(word)
    sliding, seconds = means(model, delay)
    cutoff = model.manifest.cutoff
    calls = demo.truth().calls
    above = seconds[sliding > cutoff]
    wakes = above[np.diff(above, prepend=-np.inf) >= 1.0]  # what follows sooner is the same one
    heard = [((wakes > call.start) & (wakes < call.end + 0.4)).sum() for call in calls]
    assert heard == [call.word == word for call in calls]
    assert len(wakes) == sum(heard)


def test_is_what_the_synthesiser_says(tmp_path: Path):
    pytest.importorskip("espeakng_loader", reason="needs the voices: pip install 'bluering[scene]'")
    subprocess.run([sys.executable, "-m", "bluering.demo.synthesise", tmp_path], check=True)
    again = soundfile.read(tmp_path / demo.FLAC.name, dtype="int16")[0]
    assert np.array_equal(again, samples())
    assert (tmp_path / demo.JSON.name).read_text() == demo.JSON.read_text()
