"""What a second look confirms and rejects: python -m tests.bench.second_look [--negatives]

True wakes: the development corpus's recordings of "alexa", in a quiet and in a less quiet room.
False ones: words that sound alike, spoken by synthetic voices, of which only those count that wake
the device; with --negatives also the corpus's eight hours without the word, where a lower cutoff
has to be taken to find enough. The cutoffs are chosen on the true wakes: the same for all ways.
"""

import csv
import itertools
import sys
from collections.abc import Callable, Iterator

import numpy as np
import soxr
from rich.console import Console
from rich.table import Table

from bluering import audio
from bluering.espeak import Espeak
from bluering.models import look
from bluering.models.frontend import FrontEnd
from bluering.models.packaged import packaged
from bluering.models.reference import Reference
from tests.conftest import CORPUS

_ALIKE = [
    "a lexus",
    "election",
    "alexander",
    "alexis",
    "elixir",
    "alaska",
    "a lecture",
    "electra",
    "all extra",
    "relax a",
    "collects a",
    "selects a",
    "Alex",
    "a legs are",
    "a letter",
    "unless a",
    "a less or",
    "allegra",
    "alexia",
    "calexico",
    "elects a",
    "complex a",
    "a text her",
    "an axe a",
    "next a",
    "a lecker",
]
_VOICES = [
    "en-us",
    "en-gb-scotland",
    "en-us+m1",
    "en-us+m3",
    "en-us+m7",
    "en-us+f1",
    "en-us+f2",
    "en-us+f4",
    "en-gb-scotland+f3",
]
_RATES = (120, 150, 180)
_LOW_CUTOFF = 64
_CONFIRM = 95

Score = Callable[[look.Samples], float]


def main() -> None:
    """Print the table."""
    word = packaged("alexa")
    true = list(_true(word))
    sets = {"look-alikes": list(_alike(word))}
    if "--negatives" in sys.argv:
        sets[f"negatives at {_LOW_CUTOFF}"] = list(_negatives(word))
    names = [f"rejects of {len(found)} {name}" for name, found in sets.items()]
    heads = ["cutoff", f"confirms of {len(true)}", *names]
    table = Table("a second look", *heads, box=None)
    for name, score in _ways(word).items():
        scores = np.array([score(sound) for sound in true])
        false = [np.array([score(sound) for sound in found]) for found in sets.values()]
        for cutoff in (word.manifest.cutoff, float(np.percentile(scores, 100 - _CONFIRM)) - 1):
            shares = [f"{np.mean(scores > cutoff):.0%}"]
            shares += [f"{np.mean(one <= cutoff):.0%}" for one in false]
            table.add_row(name, f"{cutoff:.0f}", *shares)
    looking = look.examiner(word)
    cutoff = looking.look.cutoff
    shares = [f"{np.mean([looking.confirms(sound) for sound in true]):.1%}"]
    for found in sets.values():
        shares.append(f"{np.mean([not looking.confirms(sound) for sound in found]):.1%}")
    table.add_row("as built", str(cutoff), *shares)
    Console(width=160).print(table)


def _ways(word) -> dict[str, Score]:
    model, window = Reference(word.blob), word.manifest.window
    looking = look.examiner(word)

    def highest(features: look.Rows, before: look.Rows) -> float:
        model.reset()
        model.push(before)
        outputs = model.push(features).astype(float)
        return float(np.convolve(outputs, np.full(window, 1 / window), "valid").max())

    def cold(sound: look.Samples) -> float:
        return highest(FrontEnd().push(sound), np.zeros((0, 40), np.uint8))

    def warm(sound: look.Samples) -> float:
        frontend = FrontEnd()
        before = frontend.push(np.tile(sound, 3))
        return highest(frontend.push(sound)[2:], before[:0])

    def mirrored(sound: look.Samples) -> float:
        frontend = FrontEnd()
        before = frontend.push(np.concatenate([sound, sound[::-1]] * 2))
        return highest(frontend.push(sound), before)

    return {
        "cold": cold,
        "front end warmed": warm,
        "led in by its mirror image": mirrored,
        "warmed, led in by a synthetic beginning": looking.score,
    }


def _rows(label: str) -> list[dict[str, str]]:
    with (CORPUS / "manifest.csv").open() as file:
        return [row for row in csv.DictReader(file) if label in (row["label"], row["set"])]


def _true(word) -> Iterator[look.Samples]:
    for row, noise in itertools.product(_rows("alexa"), (5.0, 30.0)):
        heard = look.first_wake(word, audio.read(CORPUS / row["path"]), noise)
        if heard is not None:
            yield heard


def _alike(word) -> Iterator[look.Samples]:
    voice_box = Espeak()
    for text, voice, rate in itertools.product(_ALIKE, _VOICES, _RATES):
        spoken = voice_box.say(text, voice, rate, 50, 50)
        clip = soxr.resample(spoken.astype(np.float32), voice_box.rate, 16000)
        heard = look.first_wake(word, np.clip(clip, -32768, 32767).astype(np.int16))
        if heard is not None:
            yield heard


def _negatives(word) -> Iterator[look.Samples]:
    for row in _rows("negatives"):
        sound = audio.read(CORPUS / row["path"])
        for hop in look.wakes(word, sound, _LOW_CUTOFF):
            heard = look.around(sound, hop)
            if len(heard) == look.HOPS * look.HOP:
                yield heard


if __name__ == "__main__":
    main()
