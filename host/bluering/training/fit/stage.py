"""Stage 3: from a dataset to a trained network with int8 in the loop."""

from functools import partial

import torch

from bluering.training.augment.stage import Dataset
from bluering.training.fit.net import Net
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.weights import Weights
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.workers import Progress, TrainingPool


def fit(recipe: Recipe, dataset: Dataset, places: Places, progress: Progress) -> QuantisedNet:
    """Train what isn't in the cache yet. The number of processes doesn't change the result. Raises
    TrainingError."""
    weights = Weights(recipe, dataset, places.cache / "weights")
    path = weights.path(weights.quantised_key)
    if not path.exists():
        with TrainingPool(places.jobs, progress) as pool:
            _train(weights, pool)
    net = QuantisedNet(Net(recipe.network))
    net.load_state_dict(torch.load(path))
    return net.eval()


def _train(weights: Weights, pool: TrainingPool) -> None:
    """One stage after another; the trunks train side by side, and so do the branches."""
    training = weights.recipe.training
    pool.run(weights.teach)
    trunks = [weights.trunk(number) for number in range(training.trunks)]
    pool.run(*(partial(weights.train, trunk) for trunk in trunks))
    [best] = pool.run(partial(weights.best, trunks))
    branches = [weights.branch(number + 1, best) for number in range(training.branches)]
    pool.run(*(partial(weights.train, branch) for branch in branches))
    pool.run(partial(weights.quantise, [best, *branches]))
