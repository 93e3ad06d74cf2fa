"""Compiled models on MicroPython answer as TensorFlow Lite Micro does, bit for bit."""

import csv
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import soxr
from numpy.typing import NDArray

from bluering import audio, demo
from bluering.espeak import Espeak
from bluering.models.compiler import compile_model
from bluering.models.packaged import packaged
from bluering.models.tflite_reader import parse_tflite
from tests.parity import frontend_oracle, oracle
from tests.parity.networks import NETWORKS
from tests.peers import PEERS, every_model
from tests.targets.device import run

MODELS = every_model()


@cache
def speech() -> oracle.Features:
    """The demo's scene, talk and our wake words, and then those of the peers."""
    samples = np.concatenate([audio.read(demo.FLAC), *map(said, PEERS)])
    return frontend_oracle.quantised(frontend_oracle.raw_features(samples))


def said(peer: str) -> NDArray[np.int16]:
    """Its word by two voices, and the silence after each."""
    synthesiser, parts = Espeak(), []
    for voice in ("en-us+annie", "en-us+belinda"):
        speech = synthesiser.say(peer.replace("_", " "), voice, 160, 50, 50).astype(np.float32)
        speech = soxr.resample(speech, synthesiser.rate, audio.RATE)
        speech *= 12_000 / np.abs(speech).max()
        parts += [speech.astype(np.int16), np.zeros(audio.RATE, np.int16)]
    return np.concatenate(parts)


@cache
def synthetic() -> oracle.Features:
    """Numbers at random, numbers at both ends, noise around a level."""
    random = np.random.default_rng(7)
    uniform = random.integers(0, 256, (600, 40))
    saturated = np.where(random.random((300, 40)) < random.random((300, 1)), 0, 255)
    noise = np.clip(random.normal(70, 50, (300, 40)), 0, 255)
    return np.concatenate([uniform, saturated, noise]).astype(np.uint8)


@cache
def recordings(corpus: Path) -> oracle.Features:
    """Every tenth recording of a wake word."""
    with (corpus / "manifest.csv").open(newline="") as file:
        paths = [row["path"] for row in csv.DictReader(file) if row["path"].startswith("positives")]
    samples = np.concatenate([audio.read(corpus / path) for path in paths[::10]])
    return frontend_oracle.quantised(frontend_oracle.raw_features(samples))


@cache
def sound() -> oracle.Features:
    return np.concatenate([speech(), synthetic()])


@cache
def expected(name: str) -> oracle.Probabilities:
    return oracle.probabilities(MODELS[name].source.read_bytes(), sound())


def on_device(
    micropython: Path, blob: bytes, features: oracle.Features, folder: Path
) -> oracle.Probabilities:
    """The probabilities that the device's code computes."""
    (folder / "model.ear").write_bytes(blob)
    (folder / "features").write_bytes(features.tobytes())
    files = [folder / name for name in ("model.ear", "features", "outputs")]
    run(micropython, "model_stream.py", *files)
    return np.frombuffer((folder / "outputs").read_bytes(), np.uint8)


@pytest.mark.parametrize("name", MODELS)
def test_models_are_equal(name: str, micropython: Path, tmp_path: Path) -> None:
    wanted = expected(name)
    given = on_device(micropython, MODELS[name].blob, sound(), tmp_path)
    assert len(given) == len(wanted) >= 500
    assert np.count_nonzero(given != wanted) == 0
    assert len(np.unique(wanted)) > 15  # the outputs tell something


@pytest.mark.parametrize("name", MODELS)
def test_real_recordings_give_equal_outputs(
    name: str, dev_corpus: Path, micropython: Path, tmp_path: Path
) -> None:
    features = recordings(dev_corpus)
    wanted = oracle.probabilities(MODELS[name].source.read_bytes(), features)
    given = on_device(micropython, MODELS[name].blob, features, tmp_path)
    assert len(given) == len(wanted) >= 500
    assert np.count_nonzero(given != wanted) == 0
    if name in ("alexa", "peer alexa"):
        assert wanted.max() > 200


@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_networks_of_other_shapes_are_equal(
    network: Callable[[], bytes], micropython: Path, tmp_path: Path
) -> None:
    source = network()
    features = np.concatenate([speech()[:900], synthetic()])
    wanted = oracle.probabilities(source, features)
    given = on_device(micropython, compile_model(parse_tflite(source)), features, tmp_path)
    assert len(given) == len(wanted) >= 500
    assert np.count_nonzero(given != wanted) == 0
    assert len(np.unique(wanted)) > 8


def test_a_reset_model_begins_anew(micropython: Path, tmp_path: Path) -> None:
    (tmp_path / "model.ear").write_bytes(packaged("alexa").blob)
    (tmp_path / "features").write_bytes(speech()[:600].tobytes())
    said = run(micropython, "model_reset.py", tmp_path / "model.ear", tmp_path / "features")
    assert said == "ok\n"
