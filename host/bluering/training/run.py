"""`bluering train`: the whole path, from a recipe to a folder with a model."""

from bluering.training.augment.stage import augment
from bluering.training.fit.net import check_budget
from bluering.training.fit.stage import fit
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.ship.card import Card
from bluering.training.ship.folder import ModelFolder
from bluering.training.ship.stage import ship
from bluering.training.speak.stage import speak
from bluering.training.workers import Progress


def train_word(recipe: Recipe, places: Places, folder: ModelFolder, progress: Progress) -> Card:
    """Train a wake word and write its folder; returns what its card is written from.

    Every stage keeps its results in the cache: an interrupted run continues where it stopped, and a
    changed recipe repeats only what depends on the change. Raises TrainingError.
    """
    check_budget(recipe.network)
    speech = speak(recipe, places, progress)
    dataset = augment(recipe, speech, places, progress)
    net = fit(recipe, dataset, places, progress)
    return ship(recipe, net, speech, dataset, places, folder, progress)
