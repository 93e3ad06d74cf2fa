"""Stage 4: the cutoff, the evaluation, and the folder with the model and all that belongs to it."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bluering.models.compiler import compile_model
from bluering.models.tflite_reader import parse_tflite
from bluering.training.augment.stage import Dataset
from bluering.training.errors import TrainingError
from bluering.training.fit.net import BYTES_ALLOWED
from bluering.training.fit.quantised import QuantisedNet, write_tflite
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.ship.card import Card, recipe_place
from bluering.training.ship.confusions import confusions
from bluering.training.ship.evaluation import on_real_recordings, on_synthetic_speech
from bluering.training.ship.folder import (
    ModelFolder,
    read_notes,
    write_card,
    write_lock,
    write_model,
)
from bluering.training.ship.judge import TrainedModel, choose_cutoff, rounding, rounding_clips
from bluering.training.ship.lock import lock
from bluering.training.speak.speech import clips
from bluering.training.speak.stage import SpeechFiles
from bluering.training.workers import Progress


def ship(
    recipe: Recipe,
    net: QuantisedNet,
    speech: SpeechFiles,
    dataset: Dataset,
    places: Places,
    folder: ModelFolder,
    progress: Progress,
) -> Card:
    """Write the model's folder; returns what its card is written from. Raises TrainingError for a
    model that is too large, or has too many false accepts at any cutoff."""
    held_out = clips(speech.files["held_out"])
    trained = _compiled(net, recipe, rounding_clips(recipe, places.corpus, held_out))
    progress("evaluate", 0, 4, "the cutoff")
    streams = dataset.held_out_streams()
    cutoff = choose_cutoff(trained.blob, recipe.window, streams, recipe.accepts_per_hour)
    write_model(recipe, trained.model, cutoff, folder)
    write_lock(lock(recipe, places.sentences, places.corpus, trained), folder)
    progress("evaluate", 1, 4, "on real recordings")
    real = on_real_recordings(folder, places)
    progress("evaluate", 2, 4, "on held-out synthetic speech")
    synthetic = on_synthetic_speech(recipe, held_out, folder, places)
    progress("evaluate", 3, 4, "look-alikes")
    look_alikes = clips(speech.files["look_alike"])
    card = Card(
        recipe=recipe,
        name=folder.name,
        recipe_at=recipe_place(folder.path, recipe.name),
        trained=trained,
        cutoff=cutoff,
        real=real,
        synthetic=synthetic,
        confusions=confusions(recipe, look_alikes, trained.blob, cutoff.value),
        notes=read_notes(folder),
    )
    progress("evaluate", 4, 4, "done")
    write_card(card, folder)
    progress("write", 1, 1, str(folder.path))
    return card


def _compiled(
    net: QuantisedNet, recipe: Recipe, clips: Sequence[NDArray[np.uint8]]
) -> TrainedModel:
    """clips: features of the word, to compare int8 with float on."""
    model = write_tflite(net, f"wake word: {recipe.phrase}")
    if len(model) > BYTES_ALLOWED:
        raise TrainingError(f"the model has {len(model):,} bytes, more than {BYTES_ALLOWED:,}")
    blob = compile_model(parse_tflite(model))
    return TrainedModel(model, blob, rounding(net, blob, recipe.window, clips))
