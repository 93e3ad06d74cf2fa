"""Chatter never says the word, but often something that sounds like it."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from bluering.training.augment import sound
from bluering.training.augment.talk import chatter
from bluering.training.speak.chatter import texts
from bluering.training.speak.lookalikes import contained, look_alikes, pronunciations, sounds_same
from bluering.training.speak.speech import voice
from bluering.training.speak.voices import RATE, Utterance


def _lines(phrase: str, count: int, seed: int = 1) -> list[str]:
    return list(itertools.islice(texts(phrase, np.random.default_rng(seed)), count))


@pytest.mark.parametrize("phrase", ["Alexa", "computer", "echo", "hey echo"])
def test_the_word_is_never_said(phrase: str) -> None:
    wanted = pronunciations(phrase)
    lines = _lines(phrase, 300)
    assert all(3 < len(line.split()) < 15 for line in lines)
    for line in lines:
        said = sum((pronunciations(word)[0] for word in line.split()), ())
        assert not contained(wanted, [said]), line
        assert not sounds_same(line.strip(".,?!"), wanted), line


def test_look_alikes_are_said_often() -> None:
    near = {found.phrase for found in look_alikes("computer", 100) if " " not in found.phrase}
    words = [word.strip(".,?!") for line in _lines("computer", 200) for word in line.split()]
    assert sum(word in near for word in words) > 0.05 * len(words)
    assert len(set(words)) > len(words) / 3


def test_there_is_chatter_for_a_phrase_that_the_dictionary_lacks() -> None:
    words = [line.split()[0] for line in _lines("hey zorblax", 200)]
    assert len(set(words)) > 100
    assert sum(word < "m" for word in words) < 150  # all of the alphabet


class _Tone:
    """Says everything as a tone, at the speed asked for."""

    def __init__(self) -> None:
        self.said: list[Utterance] = []

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        self.said.append(utterance)
        return np.sin(np.arange(int(9000 / utterance.speed)) / 9).astype(np.float32), 16000


def test_it_has_the_length_asked_for_and_is_reproducible() -> None:
    rooms = [np.eye(1, 400, dtype=np.float32)[0]]
    noises = [sound.coloured(RATE, np.random.default_rng(3))]

    def made() -> tuple[NDArray[np.int16], list[Utterance]]:
        tone = _Tone()
        return chatter("Alexa", tone, 40.0, rooms, noises, np.random.default_rng(2)), tone.said

    (x, said), (again, _) = made(), made()
    assert x.dtype == np.int16
    assert len(x) == 40 * RATE
    assert np.array_equal(x, again)
    assert len(said) > 15
    assert len({utterance.speed for utterance in said}) > 10
    seconds = np.abs(x.astype(np.int32)).reshape(-1, RATE).max(1)
    assert (seconds > 100).all()


def test_a_scene_may_be_band_limited() -> None:
    class Hiss(_Tone):
        def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
            tone, rate = super().say(utterance)
            return np.random.default_rng(1).normal(0, 0.1, len(tone)).astype(np.float32), rate

    def above(narrow: float) -> float:
        """The share of the power above 5 kHz."""
        rooms = [np.eye(1, 400, dtype=np.float32)[0]]
        quiet = [np.zeros(RATE, np.float32)]
        x = chatter("Alexa", Hiss(), 120.0, rooms, quiet, np.random.default_rng(2), narrow)
        power = np.abs(np.fft.rfft(x)) ** 2
        return float(power[int(len(power) * 5 / 8) :].sum() / power.sum())

    assert above(1.0) < above(0.0) / 3


def test_hibari_keeps_to_the_speed_and_is_reproducible() -> None:
    engine = voice("hibari")
    usual, rate = engine.say(Utterance("the election was a letter", "hibari", "heart"))
    slow, _ = engine.say(Utterance("the election was a letter", "hibari", "heart", 0.7))
    again, _ = voice("hibari").say(Utterance("the election was a letter", "hibari", "heart"))
    assert rate == 24000
    assert 1.0 < len(usual) / rate < 4.0
    assert len(slow) > 1.25 * len(usual)
    assert np.array_equal(usual, again)
