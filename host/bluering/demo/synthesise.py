"""Speak the demo's scene anew: python -m bluering.demo.synthesise [FOLDER]

Writes scene.flac (16 kHz mono, 16 bits) and scene.json (what is said from when to when) into
FOLDER, by default beside this file. Each run makes the same samples again.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

from bluering import files
from bluering.demo import FLAC, JSON, Truth, Utterance, scene
from bluering.espeak import Espeak
from bluering.sound_files import encoded
from ear.audio.format import RATE

_Sound = NDArray[np.float64]  # full scale is 1

_TALK_PEAK, _CALL_PEAK = 0.25, 0.4  # the television is further away
_MUSIC_PEAK, _ROOM_RMS = 0.03, 0.0006
_SILENCE = 0.01  # of an utterance's peak: what is quieter at its ends isn't speech
_TAIL = 1.5  # seconds after the last word
_CHORDS = ((110.0, 261.63, 329.63, 392.0), (87.31, 220.0, 261.63, 349.23))  # Hz: A minor 7, F
_CHORD_SECONDS = 4.0


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FLAC.parent
    samples, truth = synthesise()
    sound, text = folder / FLAC.name, folder / JSON.name
    files.write(sound, encoded(samples, "FLAC"))
    files.write(text, truth.model_dump_json(indent=1, exclude_none=True) + "\n")
    print(f"{sound}: {truth.seconds} s, {len(truth.calls)} calls")


def synthesise() -> tuple[NDArray[np.int16], Truth]:
    """The scene's samples, and the truth about them."""
    spoken = list(_timeline())
    seconds = round(spoken[-1][0].end + _TAIL, 2)
    mix = _room(seconds)
    for utterance, speech in spoken:
        _add(mix, utterance.start, speech)
    for start, end in _television([utterance for utterance, _ in spoken], seconds):
        _add(mix, start, _music(end - start))
    truth = Truth(seconds=seconds, utterances=[utterance for utterance, _ in spoken])
    return np.round(mix * 32767).astype(np.int16), truth


def _timeline() -> Iterator[tuple[Utterance, _Sound]]:
    """Every line with its place in time and its sound."""
    synthesiser = Espeak()
    now = scene.LEAD_IN
    for line in scene.TALK_BEFORE + scene.CALLS + scene.TALK_AFTER:
        speech = _speak(synthesiser, line)
        end = now + len(speech) / RATE
        voice = line.voice.name
        yield (
            Utterance(
                text=line.text, voice=voice, word=line.word, start=round(now, 3), end=round(end, 3)
            ),
            speech,
        )
        now = now + scene.CALL_PERIOD if line.word else end + line.pause


def _speak(synthesiser: Espeak, line: scene.Line) -> _Sound:
    """One line at its level, without silence at its ends."""
    voice = line.voice
    said = synthesiser.say(line.text, voice.name, voice.rate, voice.pitch, voice.pitch_range)
    speech = soxr.resample(said / 32768, synthesiser.rate, RATE)
    speech *= (_CALL_PEAK if line.word else _TALK_PEAK) / np.max(np.abs(speech))
    loud = np.flatnonzero(np.abs(speech) > _SILENCE * np.max(np.abs(speech)))
    return speech[loud[0] : loud[-1] + 1]


def _television(spoken: list[Utterance], seconds: float) -> list[tuple[float, float]]:
    """From when to when the television plays its music: not while somebody calls."""
    calls = [utterance for utterance in spoken if utterance.word]
    last = calls[-1].start + scene.CALL_PERIOD
    return [(0.0, calls[0].start - 0.5), (last - 0.5, seconds)]


def _music(seconds: float) -> _Sound:
    """Soft chords in turn, each swelling and fading."""
    chord_time = np.arange(round(_CHORD_SECONDS * RATE)) / RATE
    swell = np.sin(np.pi * chord_time / _CHORD_SECONDS) ** 2
    chords = [
        swell * sum(np.sin(2 * np.pi * tone * chord_time) for tone in chord) / len(chord)
        for chord in _CHORDS
    ]
    count = round(seconds * RATE)
    repeats = -(-count // sum(map(len, chords)))
    return _MUSIC_PEAK * np.tile(np.concatenate(chords), repeats)[:count]


def _room(seconds: float) -> _Sound:
    """A quiet room's noise: a little louder towards the low tones."""
    # RandomState's numbers are frozen for all versions of numpy.
    white = np.random.RandomState(1).uniform(-1, 1, round(seconds * RATE))
    smooth = np.convolve(white, np.full(8, 1 / 8), "same")
    return _ROOM_RMS * smooth / np.sqrt(np.mean(smooth**2))


def _add(mix: _Sound, start: float, sound: _Sound) -> None:
    at = round(start * RATE)
    mix[at : at + len(sound)] += sound


if __name__ == "__main__":
    main()
