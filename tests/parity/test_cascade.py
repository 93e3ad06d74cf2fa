"""Two models as one: on MicroPython and on the host what both of them give, heard all the time."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest

from bluering.models.cascade import CascadeReference, Stages, join, reference, source_sha256
from bluering.models.reference import Reference
from tests.parity import oracle
from tests.parity.test_models import MODELS, expected, on_device, sound
from tests.targets.device import run

FIRST, SECOND = "computer", "echo"
DOUBTS = 1, 40, 100, 255  # asked always, now and again for longer, seldom, never but at the top


def cascade(doubt: int) -> bytes:
    return join(Stages(MODELS[FIRST].blob, MODELS[SECOND].blob, doubt))


@cache
def wanted(doubt: int) -> oracle.Probabilities:
    """Of TensorFlow Lite Micro, both models hearing everything."""
    first, second = expected(FIRST).astype(int), expected(SECOND).astype(int)
    return np.where(first >= doubt, (first + second) // 2, first).astype(np.uint8)


@pytest.mark.parametrize("doubt", DOUBTS)
def test_the_device_gives_what_both_would_hearing_all_the_time(
    doubt: int, micropython: Path, tmp_path: Path
) -> None:
    given = on_device(micropython, cascade(doubt), sound(), tmp_path)
    assert np.array_equal(given, wanted(doubt))


def test_the_second_is_asked_anew_and_again_in_this_sound() -> None:
    """What the test above is worth: pauses longer than its memory, and shorter ones."""
    asked = np.flatnonzero(expected(FIRST) >= 40)
    pauses = np.diff(asked)
    assert (pauses > 60).sum() >= 3
    assert ((pauses > 1) & (pauses < 45)).sum() >= 2
    assert np.count_nonzero(wanted(40) != expected(FIRST)) >= 20


@pytest.mark.parametrize("doubt", DOUBTS)
def test_the_reference_gives_the_same_however_its_input_is_cut(doubt: int) -> None:
    engine = reference(cascade(doubt))
    assert isinstance(engine, CascadeReference)
    pieces = np.array_split(sound(), 41)
    assert np.array_equal(np.concatenate([engine.push(rows) for rows in pieces]), wanted(doubt))
    engine.reset()
    assert np.array_equal(engine.push(sound()[:900]), wanted(doubt)[:300])


def test_a_single_model_is_none() -> None:
    assert isinstance(reference(MODELS[FIRST].blob), Reference)
    assert source_sha256(MODELS[FIRST].blob) != source_sha256(cascade(100))
    assert source_sha256(cascade(100)) != source_sha256(cascade(101))


def test_listening_allocates_nothing(micropython: Path, tmp_path: Path) -> None:
    (tmp_path / "model.ear").write_bytes(cascade(1))
    said = run(micropython, "model_heap.py", tmp_path / "model.ear").splitlines()
    assert said == ["800 steps, 11 wakes", "200 steps, 2 wakes"]


def test_damaged_ones_are_refused_with_a_reason(micropython: Path, tmp_path: Path) -> None:
    (tmp_path / "model.ear").write_bytes(cascade(100))
    assert run(micropython, "cascade_load.py", tmp_path / "model.ear") == "39 features, not 40\n"
