"""`bluering train`: the whole path, from a recipe to a folder with a model."""

from bluering.training.augment.stage import augment
from bluering.training.fit.net import check_budget
from bluering.training.fit.stage import fit
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.ship.card import Card
from bluering.training.ship.folder import Names
from bluering.training.ship.stage import ship
from bluering.training.speak.stage import speak
from bluering.training.workers import Told


def train_word(recipe: Recipe, places: Places, names: Names, told: Told) -> Card:
    """Every stage that isn't done yet: each keeps its results in the cache, so that an interrupted
    run goes on where it was. Returns what the model's card says. Raises TrainingError."""
    check_budget(recipe.network)
    spoken = speak(recipe, places, told)
    dataset = augment(recipe, spoken, places, told)
    net = fit(recipe, dataset, places, told)
    return ship(recipe, net, spoken, dataset, places, names, told)
