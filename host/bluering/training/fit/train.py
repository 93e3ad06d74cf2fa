"""The stages "train" and "quantise": from tracks and streams to weights."""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from bluering.training.fit import averaging
from bluering.training.fit.loop import Loop, Material
from bluering.training.fit.net import Net
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.scores import miss_rates, peaks, phases, stream_scores, track_scores
from bluering.training.recipe import Recipe

_BRANCH_RATE = 2 / 3  # of the learning rate: a branch must stay where a mean with others holds
_BRANCH_SEEDS = 30  # after those of the trunks
_HEARING = 100  # steps that give the ranges of activations
_HEARD = 400  # tracks, with the word and without, that tell how channels differ
_MEMORY = 0.998  # of the running mean, from step to step
_CHOOSE_EVERY = 500
_SAVE_EVERY = 500
_ROWS_AN_HOUR = 360_000
ACCEPTS_PER_HOUR = (0.25, 0.5, 1.0, 2.0)  # misses at these choose the weights


@dataclass
class Choice:
    """Weights worth keeping: their mean miss rate at ACCEPTS_PER_HOUR, 0..1."""

    misses: float
    net: QuantisedNet

    def state_dict(self) -> dict[str, Any]:
        """For a checkpoint."""
        return {"misses": self.misses, "net": self.net.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """What state_dict gave."""
        self.misses = state["misses"]
        self.net.load_state_dict(state["net"])


Told = Callable[[int, int, str], None]


def train(
    recipe: Recipe, material: Material, checkpoint: Path, told: Told, trunk: Net | None = None
) -> Net:
    """A float network with the mean of its weights on the way, from the checkpoint on where there
    is one. trunk: where it starts instead of nowhere. told: step, of all, a line."""
    torch.manual_seed(recipe.seed)
    net = copy.deepcopy(trunk) if trunk else Net(recipe.network)
    steps = recipe.training.steps
    loop = Loop(recipe, material, net)
    rate = recipe.training.learning_rate
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=2e-2)
    schedule = averaging.steady(optimiser, rate, steps, warm_up=0.15)
    mean = averaging.begun(net)
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule, "mean": mean}
    saved = _Saved(checkpoint, loop, parts)
    for step in range(saved.load(), steps):
        line = loop.step(net, optimiser)
        schedule.step()
        averaging.take(mean, net, step, steps)
        told(step + 1, steps, line)
        saved.save(step + 1)
    return cast(Net, mean.module).eval()


def branch(
    recipe: Recipe, number: int, material: Material, trunk: Net, checkpoint: Path, told: Told
) -> Net:
    """The trunk, gone on by other dice. number: which of the branches, from 1."""
    training = recipe.training
    way = training.model_copy(
        update={
            "steps": training.branch_steps,
            "learning_rate": training.learning_rate * _BRANCH_RATE,
        }
    )
    own = recipe.model_copy(update={"seed": recipe.seed + _BRANCH_SEEDS + number, "training": way})
    return train(own, material, checkpoint, told, trunk)


def quantise(
    recipe: Recipe, material: Material, trained: Net, checkpoint: Path, told: Told
) -> QuantisedNet:
    """The network with int8 in the loop, at the weights that miss least.

    Its channels are equalised. Then it only hears, which gives the ranges of its activations, and
    its biases are corrected; the weights as they were learned are the first to choose from. Then
    it learns on a little, and running means of the weights are chosen from.
    """
    torch.manual_seed(recipe.seed + 1)
    net = QuantisedNet(trained)
    some = _some_of(material)
    net.equalise(some)
    steps = recipe.training.quantised_steps
    hearing = min(_HEARING, steps // 2)
    optimiser = torch.optim.AdamW(net.parameters(), recipe.training.learning_rate / 150)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: float(s >= hearing))
    loop = Loop(recipe, material, net)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(_MEMORY), use_buffers=True)
    averaged = cast(QuantisedNet, mean.module)
    best = Choice(np.inf, copy.deepcopy(net))
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule, "mean": mean, "best": best}
    saved = _Saved(checkpoint, loop, parts)
    for step in range(saved.load(), steps):
        net.watching = step < hearing
        line = loop.step(net, optimiser)
        schedule.step()
        learned = step + 1 - hearing
        if learned == 0:
            net.correct(some)
        if learned >= 0:
            mean.update_parameters(net)
        if learned >= 0 and (learned % _CHOOSE_EVERY == 0 or step + 1 == steps):
            found = misses(averaged, material, recipe.window)
            if found < best.misses:
                best.misses = found
                best.net.load_state_dict(averaged.state_dict())
            line += f", misses {100 * found:.1f} %"
        told(step + 1, steps, line)
        saved.save(step + 1)
    return best.net.eval()


def _some_of(material: Material) -> Tensor:
    """Features of tracks with and without the word, of all kinds alike."""
    every = (material.words.features, material.others.features)
    some = [features[:: max(1, len(features) // _HEARD)] for features in every]
    return torch.from_numpy(np.concatenate(some)).float()


def misses(net: Net | QuantisedNet, material: Material, window: int) -> float:
    """The mean miss rate of held-out words where held-out streams give ACCEPTS_PER_HOUR."""
    found = track_scores(net, material.held_out_words, window)
    streams = [stream.rows for stream in material.held_out_streams]
    heard = [phase for rows in streams for phase in phases(rows, net.stride)]
    hours = sum(map(len, heard)) / _ROWS_AN_HOUR
    woken = [peaks(stream_scores(net, rows, window)) for rows in heard] or [np.zeros(1, np.float32)]
    return float(np.mean(miss_rates(found, np.concatenate(woken), hours, ACCEPTS_PER_HOUR)))


class _Saved:
    """A checkpoint: an interrupted stage goes on as if it had not been."""

    def __init__(self, path: Path, loop: Loop, parts: dict[str, Any]) -> None:
        self._path = path
        self._parts = {**parts, "loop": loop}

    def load(self) -> int:
        """Put everything back; the number of steps that are done."""
        if not self._path.exists():
            return 0
        state = torch.load(self._path, weights_only=False)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["torch"])
        return state["steps"]

    def save(self, steps: int) -> None:
        """Every so often."""
        if steps % _SAVE_EVERY:
            return
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"torch": torch.get_rng_state(), "steps": steps}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_suffix(".part")
        torch.save(state, aside)
        aside.replace(self._path)
