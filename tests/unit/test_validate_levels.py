"""Active speech level, the end of a word, mixing at an SNR, and rooms."""

import numpy as np
import pytest

from bluering.sound_files import RATE
from bluering.validate.mix import LEAD_IN, in_room, noise_gain, placed, quiet, to_int16
from bluering.validate.rooms import ROOMS, impulse_response, room
from bluering.validate.speech_level import active_speech_level, word_end
from tests.unit.validate_world import beep, hum


def _int16(audio: np.ndarray) -> np.ndarray:
    return np.rint(audio * 32768).astype(np.int16)


def _db(rms: float) -> float:
    return 20 * np.log10(rms)


def _rms(x: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(x.astype(float)))))


def test_a_steady_tone_is_active_all_the_time_at_its_rms() -> None:
    level = active_speech_level(_int16(beep(0.1, 10.0)))
    assert level is not None
    assert level.level_db == pytest.approx(_db(0.1), abs=0.1)
    assert level.activity > 0.98


@pytest.mark.parametrize("gain_db", [-30.0, -12.0, 6.0])
def test_the_level_follows_the_gain(gain_db: float) -> None:
    bursts = np.concatenate([beep(0.1, 0.4), np.zeros(8000), beep(0.05, 0.3)])
    plain = active_speech_level(_int16(bursts))
    turned = active_speech_level(_int16(bursts * 10 ** (gain_db / 20)))
    assert plain is not None
    assert turned is not None
    assert turned.level_db - plain.level_db == pytest.approx(gain_db, abs=0.1)
    assert turned.activity == pytest.approx(plain.activity, abs=0.02)


def test_pauses_do_not_lower_the_active_level() -> None:
    bursts = np.tile(np.concatenate([beep(0.1, 1.0), np.zeros(2 * RATE)]), 5)
    level = active_speech_level(_int16(bursts))
    assert level is not None
    # The envelope's decay and the hangover count 0.3 s after each burst as active: 1.1 dB here.
    assert level.level_db == pytest.approx(_db(0.1) - 10 * np.log10(1.3), abs=0.2)
    assert level.level_db - _db(_rms(bursts)) > 3.0
    assert 0.3 < level.activity < 0.42


def test_nothing_active_has_no_level() -> None:
    assert active_speech_level(np.zeros(16_000, np.int16)) is None


@pytest.mark.parametrize("seconds", [0.3, 0.55, 0.9])
def test_the_end_of_a_word_is_found_to_a_frame(seconds: float) -> None:
    word = (
        np.concatenate([np.zeros(4000), beep(0.1, seconds), np.zeros(9600)])
        + hum(0.0005, (4000 + 9600) / RATE + seconds + 0.2)[
            : 4000 + 9600 + round((seconds + 0.2) * RATE)
        ]
    )
    samples = _int16(word)
    level = active_speech_level(samples)
    assert level is not None
    true_end = 4000 + round((0.1 + seconds) * RATE)
    assert word_end(samples, level) == pytest.approx(true_end, abs=RATE * 0.011)


def test_a_click_after_the_word_is_not_its_end() -> None:
    samples = _int16(np.concatenate([beep(0.1, 0.5), np.zeros(8000)]))
    samples[-2000:-1900] = 8000
    level = active_speech_level(samples)
    assert level is not None
    assert word_end(samples, level) < 0.62 * RATE


@pytest.mark.parametrize("snr", [10.0, 0.0, -5.0])
def test_noise_stands_at_the_snr_below_the_active_level(snr: float) -> None:
    clip = _int16(beep(0.1, 1.0))
    speech = placed(clip)
    noise = _int16(hum(0.02, len(speech) / RATE))
    gain = noise_gain(speech, noise, snr)
    level = active_speech_level(speech)
    assert gain is not None
    assert level is not None
    assert level.level_db - _db(gain * _rms(noise) / 32768) == pytest.approx(snr, abs=1e-6)
    assert level.level_db == pytest.approx(_db(0.1) - 10 * np.log10(1.3), abs=0.2)


def test_a_pause_is_no_noise() -> None:
    speech = placed(_int16(beep(0.1)))
    assert noise_gain(speech, np.zeros(len(speech), np.int16), 10.0) is None


def test_a_mixture_too_loud_is_turned_down_as_a_whole() -> None:
    loud = np.array([50_000.0, -20_000.0, 10_000.0])
    assert to_int16(loud).tolist() == [32767, -13107, 6553]
    assert to_int16(np.array([1.4, -2.6])).tolist() == [1, -3]


def test_a_room_is_heard_without_delay_and_falls_off_with_distance() -> None:
    speech = placed(_int16(beep(0.1, 0.5)))
    start = round((LEAD_IN + 0.1) * RATE)
    levels = {}
    for distance in ("near", "far"):
        heard = in_room(speech, impulse_response(3, distance))
        onset = np.flatnonzero(np.abs(heard) > 0.02 * np.abs(heard).max())[0]
        assert onset == pytest.approx(start, abs=40)
        levels[distance] = _rms(heard)
        tail = heard[start + round(0.55 * RATE) :]
        assert _rms(tail) > 0  # it reverberates
    assert levels["near"] > 2 * levels["far"]


def test_rooms_differ_and_their_reverberation_is_as_long_as_said() -> None:
    assert len({room(i) for i in range(ROOMS)}) == ROOMS
    for index in (0, ROOMS - 1):
        response = impulse_response(index, "far")
        energy = np.cumsum(response[::-1] ** 2)[::-1]
        decay = 10 * np.log10(energy / energy[0])
        t5, t25 = (int(np.argmax(decay < -level)) for level in (5, 25))
        assert (t25 - t5) * 3 / RATE == pytest.approx(room(index).rt60, rel=0.35)


def test_the_quiet_is_quiet_and_repeatable() -> None:
    first, second = (quiet(RATE, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first, second)
    assert _db(_rms(first) / 32768) == pytest.approx(-70, abs=1)
