"""A corpus of held-out synthetic speech for `bluering validate`: voices and an engine that weren't
trained on, in slices by engine, speed, pitch, level and accent."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile

from bluering.training.augment import sound
from bluering.training.speak.speech import Clip
from bluering.training.speak.voices import RATE, Speech

_SPEEDS = ((0.75, "slow"), (0.95, "unhurried"), (1.15, "usual"))
_PITCHES = ((120.0, "low"), (190.0, "middle"), (270.0, "high"))
_LEVELS = ((-34.0, "faint"), (-20.0, "soft"), (-8.0, "usual"))
_LOWEST_PITCH, _HIGHEST_PITCH = 60, 450  # Hz


def write_corpus(
    clips: Sequence[Clip], word: str, negatives: Path, folder: Path, seed: int
) -> Path:
    """Write the clips, by other speakers and at other levels. negatives: the manifest of a corpus
    whose noises may be mixed in, if it exists. Returns the new manifest."""
    rng = np.random.default_rng([seed, *word.encode()])
    (folder / "clips").mkdir(parents=True, exist_ok=True)
    rows = []
    for number, clip in enumerate(clips):
        said = sound.speaker(clip.samples.astype(np.float32) / 32768, rng, vocoded=0.0)
        level = float(rng.uniform(-42, -1))
        samples = _at_level(said, level)
        name = f"clips/{number:04}.flac"
        soundfile.write(folder / name, samples, RATE, subtype="PCM_16")
        rows.append(
            {
                "path": name,
                "label": word,
                "set": "positives",
                "slice_engine": clip.utterance.engine,
                "slice_speed": _named(clip.utterance.speed, _SPEEDS, "fast"),
                "slice_pitch": _named(pitch(samples), _PITCHES, "child's"),
                "slice_level": _named(level, _LEVELS, "loud"),
                "slice_accent": clip.utterance.accent.partition("/")[2] or "none added",
            }
        )
    rows += _noises(negatives)
    manifest = folder / "manifest.csv"
    with manifest.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return manifest


def pitch(samples: Speech) -> float:
    """The median fundamental frequency in Hz, by autocorrelation; 0 where nothing is voiced."""
    x = samples.astype(np.float64)
    size, found = RATE // 25, []
    for at in range(0, len(x) - size, size // 2):
        frame = x[at : at + size] - x[at : at + size].mean()
        energy = float(frame @ frame)
        if energy < 1e-3 * float(x @ x) * size / len(x):
            continue
        likeness = np.correlate(frame, frame, "full")[size - 1 :]
        lags = likeness[RATE // _HIGHEST_PITCH : RATE // _LOWEST_PITCH]
        if lags.max() > 0.45 * likeness[0]:
            found.append(RATE / (RATE // _HIGHEST_PITCH + int(lags.argmax())))
    return float(np.median(found)) if found else 0.0


def _at_level(x: sound.Sound, level_db: float) -> Speech:
    peak = float(np.abs(x).max(initial=0.0)) + 1e-9
    return np.rint(x / peak * 10 ** (level_db / 20) * 32767).astype(np.int16)


def _named(value: float, bounds: Sequence[tuple[float, str]], beyond: str) -> str:
    return next((name for bound, name in bounds if value < bound), beyond)


def _noises(manifest: Path) -> list[dict[str, str]]:
    if not manifest.is_file():
        return []
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["set"] == "negatives"]
    return [
        {
            "path": str((manifest.parent / row["path"]).resolve()),
            "label": row["label"],
            "set": "negatives",
        }
        for row in rows
    ]
