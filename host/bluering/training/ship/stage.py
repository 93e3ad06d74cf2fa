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
from bluering.training.ship.folder import Names, read_notes, write_card, write_lock, write_model
from bluering.training.ship.judge import Trained, choose_cutoff, rounding, rounding_clips
from bluering.training.ship.lock import lock
from bluering.training.speak.speech import clips
from bluering.training.speak.stage import Spoken
from bluering.training.workers import Told


def ship(
    recipe: Recipe,
    net: QuantisedNet,
    spoken: Spoken,
    dataset: Dataset,
    places: Places,
    names: Names,
    told: Told,
) -> Card:
    """The model in its folder, with what its card is written from. Raises TrainingError for a model
    that is too large or wakes by mistake at any cutoff."""
    held_out = clips(spoken.files["held_out"])
    trained = _compiled(net, recipe, rounding_clips(recipe, places.corpus, held_out))
    told("evaluate", 0, 4, "the cutoff")
    streams = dataset.held_out_streams()
    cutoff = choose_cutoff(trained.blob, recipe.window, streams, recipe.accepts_per_hour)
    write_model(recipe, trained.model, cutoff, names)
    write_lock(lock(recipe, places.sentences, places.corpus, trained), names)
    told("evaluate", 1, 4, "on real recordings")
    real = on_real_recordings(names, places)
    told("evaluate", 2, 4, "on held-out synthetic speech")
    synthetic = on_synthetic_speech(recipe, held_out, names, places)
    told("evaluate", 3, 4, "look-alikes")
    look_alikes = clips(spoken.files["look_alike"])
    card = Card(
        recipe=recipe,
        name=names.name,
        recipe_at=recipe_place(names.folder, recipe.name),
        trained=trained,
        cutoff=cutoff,
        real=real,
        synthetic=synthetic,
        confusions=confusions(recipe, look_alikes, trained.blob, cutoff.value),
        notes=read_notes(names),
    )
    told("evaluate", 4, 4, "done")
    write_card(card, names)
    told("write", 1, 1, str(names.folder))
    return card


def _compiled(net: QuantisedNet, recipe: Recipe, clips: Sequence[NDArray[np.uint8]]) -> Trained:
    """clips: features of words, which tell what rounding changes."""
    model = write_tflite(net, f"wake word: {recipe.phrase}")
    if len(model) > BYTES_ALLOWED:
        raise TrainingError(f"the model has {len(model):,} bytes, more than {BYTES_ALLOWED:,}")
    blob = compile_model(parse_tflite(model))
    return Trained(model, blob, rounding(net, blob, recipe.window, clips))
