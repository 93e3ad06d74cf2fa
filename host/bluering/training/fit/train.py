"""Training runs: the float network, its fine-tuned copies, and int8 in the loop."""

import copy
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
from bluering.training.workers import StepProgress

_BRANCH_RATE = 2 / 3  # of the learning rate: branches must stay close enough to be averaged
_BRANCH_SEEDS = 30  # added to the seed, beyond those of the trunks
_CALIBRATION_STEPS = 100  # that set the ranges of activations
_CALIBRATION_TRACKS = 400  # with the word, and as many without, to equalise channels by
_MEMORY = 0.998  # decay of the running mean, per step
_CHOOSE_EVERY = 500
_SAVE_EVERY = 500
_ROWS_AN_HOUR = 360_000
ACCEPTS_PER_HOUR = (0.25, 0.5, 1.0, 2.0)  # miss rates at these choose the weights


@dataclass
class Choice:
    """The best weights so far. misses: their mean miss rate at ACCEPTS_PER_HOUR, 0..1."""

    misses: float
    net: QuantisedNet

    def state_dict(self) -> dict[str, Any]:
        """The state, for a checkpoint."""
        return {"misses": self.misses, "net": self.net.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Restore what state_dict returned."""
        self.misses = state["misses"]
        self.net.load_state_dict(state["net"])


def train(
    recipe: Recipe,
    material: Material,
    checkpoint: Path,
    progress: StepProgress,
    trunk: Net | None = None,
) -> Net:
    """A float network with averaged weights. Resumes from the checkpoint if there is one. trunk: a
    network to fine-tune instead of training from scratch."""
    torch.manual_seed(recipe.seed)
    net = copy.deepcopy(trunk) if trunk else Net(recipe.network)
    steps = recipe.training.steps
    loop = Loop(recipe, material, net)
    rate = recipe.training.learning_rate
    optimiser = torch.optim.AdamW(net.parameters(), rate, weight_decay=2e-2)
    schedule = averaging.one_cycle(optimiser, rate, steps, warm_up=0.15)
    mean = averaging.new_mean(net)
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule, "mean": mean}
    saved = _Saved(checkpoint, loop, parts)
    for step in range(saved.load(), steps):
        line = loop.step(net, optimiser)
        schedule.step()
        averaging.update(mean, net, step, steps)
        progress(step + 1, steps, line)
        saved.save(step + 1)
    return cast(Net, mean.module).eval()


def branch(
    recipe: Recipe,
    number: int,
    material: Material,
    trunk: Net,
    checkpoint: Path,
    progress: StepProgress,
) -> Net:
    """A fine-tuned copy of the trunk. number: of the branch, from 1, which changes its seed."""
    training = recipe.training
    short = training.model_copy(
        update={
            "steps": training.branch_steps,
            "learning_rate": training.learning_rate * _BRANCH_RATE,
        }
    )
    own = recipe.model_copy(
        update={"seed": recipe.seed + _BRANCH_SEEDS + number, "training": short}
    )
    return train(own, material, checkpoint, progress, trunk)


def quantise(
    recipe: Recipe, material: Material, trained: Net, checkpoint: Path, progress: StepProgress
) -> QuantisedNet:
    """Train with int8 in the loop; the weights with the fewest held-out misses.

    First the channels are equalised, some steps without learning calibrate the ranges of
    activations, and the biases are corrected: these weights are the first candidate. Then training
    goes on, and running means of the weights are further candidates.
    """
    torch.manual_seed(recipe.seed + 1)
    net = QuantisedNet(trained)
    some = _some_of(material)
    net.equalise(some)
    steps = recipe.training.quantised_steps
    calibration = min(_CALIBRATION_STEPS, steps // 2)
    optimiser = torch.optim.AdamW(net.parameters(), recipe.training.learning_rate / 150)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda s: float(s >= calibration))
    loop = Loop(recipe, material, net)
    mean = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(_MEMORY), use_buffers=True)
    averaged = cast(QuantisedNet, mean.module)
    best = Choice(np.inf, copy.deepcopy(net))
    parts = {"net": net, "optimiser": optimiser, "schedule": schedule, "mean": mean, "best": best}
    saved = _Saved(checkpoint, loop, parts)
    for step in range(saved.load(), steps):
        net.calibrating = step < calibration
        line = loop.step(net, optimiser)
        schedule.step()
        trained_steps = step + 1 - calibration
        if trained_steps == 0:
            net.correct(some)
        if trained_steps >= 0:
            mean.update_parameters(net)
        if trained_steps >= 0 and (trained_steps % _CHOOSE_EVERY == 0 or step + 1 == steps):
            found = misses(averaged, material, recipe.window)
            if found < best.misses:
                best.misses = found
                best.net.load_state_dict(averaged.state_dict())
            line += f", misses {100 * found:.1f} %"
        progress(step + 1, steps, line)
        saved.save(step + 1)
    return best.net.eval()


def _some_of(material: Material) -> Tensor:
    """Features of tracks with and without the word, evenly from all kinds."""
    both = (material.words.features, material.others.features)
    some = [rows[:: max(1, len(rows) // _CALIBRATION_TRACKS)] for rows in both]
    return torch.from_numpy(np.concatenate(some)).float()


def misses(net: Net | QuantisedNet, material: Material, window: int) -> float:
    """The mean miss rate, 0..1, of held-out words at the cutoffs that let held-out streams wake it
    ACCEPTS_PER_HOUR times per hour."""
    found = track_scores(net, material.held_out_words, window)
    streams = [stream.rows for stream in material.held_out_streams]
    every = [phase for rows in streams for phase in phases(rows, net.stride)]
    hours = sum(map(len, every)) / _ROWS_AN_HOUR
    woken = [peaks(stream_scores(net, rows, window)) for rows in every] or [np.zeros(1, np.float32)]
    return float(np.mean(miss_rates(found, np.concatenate(woken), hours, ACCEPTS_PER_HOUR)))


class _Saved:
    """A checkpoint: an interrupted run continues as if it hadn't been interrupted."""

    def __init__(self, path: Path, loop: Loop, parts: dict[str, Any]) -> None:
        self._path = path
        self._parts = {**parts, "loop": loop}

    def load(self) -> int:
        """Restore everything; the number of steps done."""
        if not self._path.exists():
            return 0
        state = torch.load(self._path, weights_only=False)
        for name, part in self._parts.items():
            part.load_state_dict(state[name])
        torch.set_rng_state(state["torch"])
        return state["steps"]

    def save(self, steps: int) -> None:
        """Save every _SAVE_EVERY steps."""
        if steps % _SAVE_EVERY:
            return
        state = {name: part.state_dict() for name, part in self._parts.items()}
        state |= {"torch": torch.get_rng_state(), "steps": steps}
        self._path.parent.mkdir(parents=True, exist_ok=True)
        aside = self._path.with_suffix(".part")
        torch.save(state, aside)
        aside.replace(self._path)
