"""`bluering train`: all stages from a recipe to a folder with a model."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bluering.models.compiled import parse_compiled
from bluering.models.compiler import compile_model
from bluering.models.tflite_reader import parse_tflite
from bluering.training import held_out, judge, shipped
from bluering.training.card import Card
from bluering.training.errors import TrainingError
from bluering.training.hours import featurise
from bluering.training.lock import lock
from bluering.training.lookalikes import LookAlike, distance, pronunciations
from bluering.training.net import BYTES_ALLOWED, MACS_ALLOWED, macs_a_step
from bluering.training.pipeline import Spoken, augment, speak
from bluering.training.quantised import QuantisedNet, write_tflite
from bluering.training.recipe import Recipe
from bluering.training.speech import Clip, clips
from bluering.training.stages import Places, Told, read_streams
from bluering.training.tracks import features
from bluering.training.weights import Given, fitted

_ROUNDED_CLIPS = 200
_FEW_CLIPS = 50
_CONFUSABLE_CLIPS = 400


@dataclass(frozen=True)
class Made:
    """A finished run."""

    names: shipped.Names
    card: Card


def train_word(recipe: Recipe, places: Places, names: shipped.Names, told: Told) -> Made:
    """Every stage that isn't done yet. Interrupted, the same call goes on where it was."""
    _must_fit(recipe)
    spoken = speak(recipe, places, told)
    files = augment(recipe, spoken, places, told)
    learned, chosen_by = featurise(recipe, places, told)
    human = [clip.utterance.engine != "flite" for clip in clips(spoken.files["held_out"])]
    given = Given(files, human, learned, chosen_by)
    net = fitted(recipe, given, places.cache / "weights", places.jobs, told)
    model = write_tflite(net, f"wake word: {recipe.phrase}")
    if len(model) > BYTES_ALLOWED:
        raise TrainingError(f"the model has {len(model):,} bytes, more than {BYTES_ALLOWED:,}")
    return _judged(recipe, places, names, told, spoken, net, model, chosen_by)


def _judged(
    recipe: Recipe,
    places: Places,
    names: shipped.Names,
    told: Told,
    spoken: Spoken,
    net: QuantisedNet,
    model: bytes,
    chosen_by: Path,
) -> Made:
    told("evaluate", 0, 4, "the cutoff")
    blob = compile_model(parse_tflite(model))
    stride = parse_compiled(blob).header.stride
    streams = read_streams(chosen_by)
    cutoff = judge.choose_cutoff(blob, stride, recipe.window, streams, recipe.accepts_per_hour)
    shipped.write_model(recipe, model, cutoff, names)
    clips_held = clips(spoken.files["held_out"])
    manifest = held_out.write_corpus(
        clips_held, recipe.name, places.corpus, places.cache / "held-out" / recipe.name, recipe.seed
    )
    parts = places.cache / "validate"
    corpus = places.corpus.parent if places.corpus.is_file() else places.corpus
    done = iter((1, 2))
    real, synthetic = shipped.evaluate(
        names,
        corpus,
        manifest,
        parts,
        places.jobs,
        lambda line: told("evaluate", next(done), 4, line),
    )
    told("evaluate", 3, 4, "int8 against float, look-alikes")
    card = Card(
        recipe=recipe,
        name=names.name,
        size=len(model),
        cutoff=cutoff,
        rounding=judge.rounding(net, blob, recipe.window, _real_clips(recipe, places, clips_held)),
        real=real,
        synthetic=synthetic,
        confusions=_confusions(recipe, spoken, blob, cutoff.value),
        notes=_notes(names),
    )
    told("evaluate", 4, 4, "done")
    shipped.write_card(card, names)
    record = lock(recipe, places.sentences, places.corpus, model)
    shipped.write_aside(names.lock, json.dumps(record, indent=1, sort_keys=True) + "\n")
    told("write", 1, 1, str(names.folder))
    return Made(names, card)


def _must_fit(recipe: Recipe) -> None:
    macs = macs_a_step(recipe.network)
    if macs > MACS_ALLOWED:
        raise TrainingError(
            f"the network takes {macs:,} multiply-accumulates a step, more than {MACS_ALLOWED:,}: "
            "fewer channels or shorter kernels in [network]"
        )


def _real_clips(recipe: Recipe, places: Places, spoken: list[Clip]) -> list[np.ndarray]:
    """Features of real clips of the word; where they are few, of held-out synthetic ones too."""
    from bluering.sound_files import read
    from bluering.validate.corpus import load_corpus
    from bluering.validate.mix import placed, quiet, to_int16

    clips_found = []
    if places.corpus.is_file():
        recordings = load_corpus(places.corpus, {recipe.name}).recordings
        clips_found = [read(r.path) for r in recordings if r.positive][:_ROUNDED_CLIPS]
    if len(clips_found) < _FEW_CLIPS:
        clips_found += [clip.samples for clip in spoken[: _ROUNDED_CLIPS - len(clips_found)]]
    dice = np.random.default_rng(recipe.seed)
    return [features(to_int16(placed(x) + quiet(len(placed(x)), dice))) for x in clips_found]


def _confusions(
    recipe: Recipe, spoken: Spoken, blob: bytes, cutoff: int
) -> tuple[tuple[LookAlike, float], ...]:
    """Look-alikes of the training's script that reach the cutoff all the same, worst first."""
    from bluering.models.reference import scores
    from bluering.validate.mix import placed, quiet, to_int16

    dice = np.random.default_rng(recipe.seed)
    said = clips(spoken.files["look_alike"])
    chosen = [said[i] for i in dice.permutation(len(said))[:_CONFUSABLE_CLIPS]]
    worst: dict[str, float] = {}
    for clip in chosen:
        x = placed(clip.samples)
        found = scores(blob, features(to_int16(x + quiet(len(x), dice)))).astype(float)
        window = np.ones(recipe.window) / recipe.window
        reached = float(np.convolve(found, window, "valid").max(initial=0.0))
        if reached > cutoff:
            text = clip.utterance.text.rstrip(".!?,").lower()
            worst[text] = max(worst.get(text, 0.0), reached / 256)
    pairs = ((LookAlike(text, _distance(text, recipe.phrase)), s) for text, s in worst.items())
    return tuple(sorted(pairs, key=lambda pair: -pair[1]))


def _distance(text: str, phrase: str) -> float:
    try:
        ways, wanted = pronunciations(text), pronunciations(phrase)
    except TrainingError:
        return float("nan")
    return min(distance(way, target) for way in ways for target in wanted)


def _notes(names: shipped.Names) -> str:
    """What people add to a card: notes.md beside it."""
    path = names.folder / "notes.md"
    return path.read_text(encoding="utf-8") if path.is_file() else ""
