"""The host's reference engine gives TensorFlow Lite Micro's bits, however its input is cut."""

from collections.abc import Callable

import numpy as np
import pytest

from bluering.models import reference
from bluering.models.compiler import compile_model
from bluering.models.errors import ModelError
from bluering.models.packaged import packaged
from bluering.models.reference import Reference, scores
from bluering.models.tflite_reader import parse_tflite
from tests.parity import oracle
from tests.parity.networks import NETWORKS
from tests.parity.test_models import MODELS, expected, sound, synthetic


@pytest.mark.parametrize("name", MODELS)
def test_models_are_equal(name: str) -> None:
    wanted = expected(name)
    given = scores(MODELS[name].blob, sound())
    assert given.dtype == np.uint8
    assert len(given) == len(wanted) >= 500
    assert np.count_nonzero(given != wanted) == 0


@pytest.mark.parametrize("exact_in_single", [1 << 24, 0], ids=["single", "double"])
@pytest.mark.parametrize("network", NETWORKS, ids=lambda network: network.__name__)
def test_networks_of_other_shapes_are_equal(
    network: Callable[[], bytes], exact_in_single: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "_EXACT_IN_SINGLE", exact_in_single)
    source = network()
    wanted = oracle.probabilities(source, synthetic())
    given = scores(compile_model(parse_tflite(source)), synthetic())
    assert len(np.unique(given)) > 8
    assert np.array_equal(given, wanted)


def test_a_stream_may_be_cut_anywhere() -> None:
    blob = packaged("echo").blob
    whole = scores(blob, sound())
    engine = Reference(blob)
    random = np.random.default_rng(2)
    at, given = 0, []
    while at < len(sound()):
        size = int(random.choice([0, 1, 2, 3, 7, 100, 1700]))
        given.append(engine.push(sound()[at : at + size]))
        at += size
    assert np.array_equal(np.concatenate(given), whole)


def test_a_reset_engine_begins_anew() -> None:
    engine = Reference(packaged("alexa").blob)
    first = engine.push(sound()[:2500])
    engine.push(sound()[:100])
    engine.reset()
    assert np.array_equal(engine.push(sound()[:2500]), first)


def test_too_few_rows_give_no_step() -> None:
    assert scores(packaged("alexa").blob, np.zeros((2, 40), np.uint8)).tolist() == []


def test_a_damaged_model_is_refused() -> None:
    with pytest.raises(ModelError, match="truncated"):
        Reference(packaged("alexa").blob[:-5])
