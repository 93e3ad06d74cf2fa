"""Synthesises the small corpus of the release gate, tests/gate/corpus, with espeak-ng.

Committed is what it made: other versions of espeak-ng sound different, and a gate needs the same
samples every time. Run it only to make a new corpus, and new baselines with it:

    python tests/gate/make.py
    bluering validate --model models/computer/computer.json --corpus tests/gate/corpus \\
        --condition clean --condition noise@5 --condition far --parts .cache/validate \\
        -o models/computer/gate

and so on for every model.
"""

import subprocess
import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import soundfile as sf

from bluering.sound_files import RATE, read
from bluering.validate.corpus import slug

CORPUS = Path(__file__).parent / "corpus"
WORDS = ("Alexa", "Computer", "Echo", "Hey echo")
VOICES = ("en-us", "en-gb-scotland", "en-us+m3", "en-us+f2", "en-us+f4", "en-us+Andrea")
SPEEDS = (130, 165)
PITCHES = (35, 60)
SENTENCES = (
    "Alaska elected a lecturer. I'll ask her next week about the lexicon of electric axes.",
    "The election was relaxed, and Alex said a lot of it is Lexus, flex, or a text for her.",
    "He left the eggshells of the commuter on the table, and all asked her for the news.",
    "All X or Y, a larger letter, an elixir, Eleanor, Alexander and Alexis: none of them is it.",
)
_NOISE_SECONDS = 12


def main() -> None:
    """Write the corpus anew."""
    for word, voice, speed, pitch in product(WORDS, VOICES, SPEEDS, PITCHES):
        name = f"{slug(word)}/{voice.replace('+', '_')}_{speed}_{pitch}"
        speak(word, voice, speed, pitch, CORPUS / f"positives/{name}.flac")
    for number, (sentence, voice) in enumerate(zip(SENTENCES, VOICES, strict=False)):
        speak(sentence, voice, 150, 50, CORPUS / f"negatives/speech/{number}.flac")
    write(CORPUS / "negatives/noise/fan.flac", fan())


def speak(text: str, voice: str, speed: int, pitch: int, path: Path) -> None:
    """One utterance as a 16 kHz FLAC file."""
    with tempfile.NamedTemporaryFile(suffix=".wav") as wave:
        options = ["-v", voice, "-s", str(speed), "-p", str(pitch), "-w", wave.name]
        subprocess.run(["espeak-ng", *options, text], check=True)
        write(path, read(Path(wave.name)))


def fan() -> np.ndarray:
    """Noise that falls off by 6 dB an octave, as a fan's does."""
    white = np.random.default_rng(1).normal(size=_NOISE_SECONDS * RATE)
    spectrum = np.fft.rfft(white)
    frequencies = np.fft.rfftfreq(len(white), 1 / RATE)
    spectrum /= np.maximum(frequencies, 100.0) / 100.0
    noise = np.fft.irfft(spectrum)
    return np.rint(noise / noise.std() * 100).astype(np.int16)


def write(path: Path, samples: np.ndarray) -> None:
    """Lossless: a codec's own differences must not decide a gate."""
    path.parent.mkdir(parents=True, exist_ok=True)
    sf.write(path, samples, RATE, subtype="PCM_16")


if __name__ == "__main__":
    main()
