"""`bluering train`: all stages from a recipe to a folder with a model."""

import asyncio
import json
from dataclasses import dataclass

import numpy as np

from bluering.models.compiler import compile_model
from bluering.models.reference import scores
from bluering.models.tflite_reader import parse_tflite
from bluering.training import held_out, judge, shipped
from bluering.training.card import Card, recipe_place
from bluering.training.errors import TrainingError
from bluering.training.hours import featurise
from bluering.training.judge import Trained
from bluering.training.lock import lock
from bluering.training.lookalikes import LookAlike, distance, pronunciations
from bluering.training.net import BYTES_ALLOWED, MACS_ALLOWED, macs_a_step
from bluering.training.pipeline import Spoken, augment, speak
from bluering.training.quantised import QuantisedNet, write_tflite
from bluering.training.recipe import Recipe
from bluering.training.speech import Clip, clips
from bluering.training.stages import Places, read_streams
from bluering.training.tracks import features
from bluering.training.weights import Given, fitted
from bluering.training.workers import Learners, Told, make_files
from bluering.validate.report.schema import Report

_ROUNDED_CLIPS = 200
_FEW_CLIPS = 50
_CONFUSABLE_CLIPS = 400


@dataclass(frozen=True)
class Made:
    """A finished run."""

    names: shipped.Names
    card: Card


def train_word(recipe: Recipe, places: Places, names: shipped.Names, told: Told) -> Made:
    """Every stage that isn't done yet. Interrupted, the same call goes on where it was. Raises
    TrainingError."""
    _must_fit(recipe)
    run = _Run(recipe, places, names, told, speak(recipe, places, told))
    given = run.given()
    return run.judged(run.learned(given), given)


@dataclass(frozen=True)
class _Run:
    """What there is once all has been spoken."""

    recipe: Recipe
    places: Places
    names: shipped.Names
    told: Told
    spoken: Spoken

    def given(self) -> Given:
        """What the network is to learn from."""
        hours, chosen_by, longer = featurise(self.recipe, self.places)
        tracks, shorter = augment(self.recipe, self.spoken, self.places)
        make_files([*longer, *shorter], self.places.jobs, self.told)
        held_out = clips(self.spoken.files["held_out"])
        human = [clip.utterance.engine != "flite" for clip in held_out]
        return Given(tracks, human, hours, chosen_by)

    def learned(self, given: Given) -> Trained:
        """The network as it ships."""
        folder = self.places.cache / "weights"
        with Learners(self.places.jobs, self.told) as learners:
            net = asyncio.run(fitted(self.recipe, given, folder, learners))
        return self._written(net)

    def judged(self, trained: Trained, given: Given) -> Made:
        """The stages "evaluate" and "write"."""
        self.told("evaluate", 0, 4, "the cutoff")
        heard = read_streams(given.chosen_by)
        recipe = self.recipe
        cutoff = judge.choose_cutoff(trained.blob, recipe.window, heard, recipe.accepts_per_hour)
        shipped.write_model(recipe, trained.model, cutoff, self.names)
        self._write_lock(trained)
        real, synthetic = self._measured()
        self.told("evaluate", 3, 4, "look-alikes")
        card = Card(
            recipe=self.recipe,
            name=self.names.name,
            recipe_at=recipe_place(self.names.folder, self.recipe.name),
            trained=trained,
            cutoff=cutoff,
            real=real,
            synthetic=synthetic,
            confusions=_confusions(self.recipe, self.spoken, trained.blob, cutoff.value),
            notes=_notes(self.names),
        )
        self.told("evaluate", 4, 4, "done")
        shipped.write_card(card, self.names)
        self.told("write", 1, 1, str(self.names.folder))
        return Made(self.names, card)

    def _written(self, net: QuantisedNet) -> Trained:
        recipe = self.recipe
        model = write_tflite(net, f"wake word: {recipe.phrase}")
        if len(model) > BYTES_ALLOWED:
            raise TrainingError(f"the model has {len(model):,} bytes, more than {BYTES_ALLOWED:,}")
        heard = _real_clips(recipe, self.places, clips(self.spoken.files["held_out"]))
        blob = compile_model(parse_tflite(model))
        return Trained(model, blob, judge.rounding(net, blob, recipe.window, heard))

    def _write_lock(self, trained: Trained) -> None:
        places = self.places
        record = lock(self.recipe, places.sentences, places.corpus, trained)
        shipped.write_aside(self.names.lock, json.dumps(record, indent=1, sort_keys=True) + "\n")

    def _measured(self) -> tuple[Report | None, Report | None]:
        """On real recordings and on held-out synthetic ones."""
        places, name = self.places, self.recipe.name
        manifest = held_out.write_corpus(
            clips(self.spoken.files["held_out"]),
            name,
            places.corpus,
            places.cache / "held-out" / name,
            self.recipe.seed,
        )
        corpus = places.corpus.parent if places.corpus.is_file() else places.corpus
        done = iter((1, 2))
        return shipped.evaluate(
            self.names,
            corpus,
            manifest,
            places.cache / "validate",
            places.jobs,
            lambda line: self.told("evaluate", next(done), 4, line),
        )


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
    from bluering.validate.mix import placed, quiet, to_int16

    dice = np.random.default_rng(recipe.seed)
    said = clips(spoken.files["look_alike"])
    chosen = [said[i] for i in dice.permutation(len(said))[:_CONFUSABLE_CLIPS]]
    worst: dict[str, float] = {}
    for clip in chosen:
        x = placed(clip.samples)
        rows = features(to_int16(x + quiet(len(x), dice)))
        found = scores(blob, rows).astype(float)
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
