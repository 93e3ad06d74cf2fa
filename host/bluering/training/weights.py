"""The stages with weights, teach, train, branch and quantise, each kept under its inputs' hash."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import cast

import torch
from torch import nn

from bluering.training.averaging import mean_of
from bluering.training.fit import Told as Lines
from bluering.training.fit import branch, misses, quantise, train
from bluering.training.loop import Material
from bluering.training.net import Net
from bluering.training.pipeline import load_tracks
from bluering.training.quantised import QuantisedNet
from bluering.training.recipe import Recipe
from bluering.training.stages import Told, digest, kept, read_streams
from bluering.training.teacher import Teacher, train_teacher

# Counted up when the code of a stage changes what it makes.
_TEACH, _TRAIN, _BRANCH, _QUANTISE = 2, 9, 1, 9

_AFTER = ("trunks", "branches", "branch_steps")  # of the recipe's training: what follows "train"


@dataclass(frozen=True)
class Given:
    """What weights come from: files of tracks by kind, of hours to learn from, and of those to
    choose by. human: which of the clips held out sound enough like people to choose by."""

    tracks: dict[str, list[Path]]
    human: Sequence[bool]
    hours: list[Path]
    chosen_by: Path

    def key(self) -> list[object]:
        """All that a network learns from."""
        tracks = {kind: [p.stem for p in paths] for kind, paths in sorted(self.tracks.items())}
        return [tracks, [path.stem for path in self.hours]]


def fitted(recipe: Recipe, given: Given, folder: Path, told: Told) -> QuantisedNet:
    """The network with int8 in the loop; what is in the folder already isn't made again."""
    return _Weights(recipe, given, folder, told).quantised()


class _Weights:
    """Each stage's weights. What they are learned from is read once, and only if it is needed."""

    def __init__(self, recipe: Recipe, given: Given, folder: Path, told: Told) -> None:
        self._recipe, self._given, self._folder, self._told = recipe, given, folder, told
        training = recipe.training
        self._taught = digest(_TEACH, recipe.seed, training.teacher_steps, *given.key())
        self._trained = digest(
            _TRAIN,
            self._taught,
            recipe.network.model_dump(),
            training.model_dump(exclude={"threads", "quantised_steps", *_AFTER}),
        )

    def quantised(self) -> QuantisedNet:
        training = self._recipe.training
        after = training.model_dump(include=set(_AFTER), exclude_defaults=True)
        ways = (after,) if after else ()  # not in older files' names
        key = digest(_QUANTISE, self._trained, training.quantised_steps, self._recipe.window, *ways)
        lines, checkpoint = self._lines("quantise"), self._checkpoint(key)
        net = QuantisedNet(Net(self._recipe.network))
        net.load_state_dict(
            self._kept(
                f"{key}.pt",
                lambda: quantise(self._recipe, self._material, self._mean(), checkpoint, lines),
            )
        )
        return net.eval()

    def _mean(self) -> Net:
        """Of the trained network and its branches."""
        trunk = self._trunk()
        branches = [self._branch(n + 1, trunk) for n in range(self._recipe.training.branches)]
        return cast(Net, mean_of([trunk, *branches])).eval() if branches else trunk

    def _trunk(self) -> Net:
        """Of those trained apart the one that misses least of what is held out."""
        nets = [self._attempt(number) for number in range(self._recipe.training.trunks)]
        if len(nets) == 1:
            return nets[0]
        return min(nets, key=lambda net: misses(net, self._material, self._recipe.window))

    def _attempt(self, number: int) -> Net:
        """A network from nothing, by other dice for each number."""
        key = digest(self._trained, number) if number else self._trained
        recipe = self._recipe.model_copy(update={"seed": self._recipe.seed + number})
        lines = self._lines(f"train {number + 1}" if number else "train")
        return self._net(
            self._kept(
                f"{key}.pt",
                lambda: train(recipe, self._material, self._checkpoint(key), lines),
            )
        )

    def _branch(self, number: int, trunk: Net) -> Net:
        training = self._recipe.training
        key = digest(_BRANCH, self._trained, training.trunks, training.branch_steps, number)
        lines = self._lines(f"branch {number}")
        return self._net(
            self._kept(
                f"{key}.pt",
                lambda: branch(
                    self._recipe, number, self._material, trunk, self._checkpoint(key), lines
                ),
            )
        )

    def _net(self, weights: dict) -> Net:
        net = Net(self._recipe.network)
        net.load_state_dict(weights)
        return net.eval()

    @cached_property
    def _material(self) -> Material:
        words, others, held = load_tracks(self._given.tracks)
        held = held.of_clips(self._given.human) if any(self._given.human) else held
        streams = [stream for path in self._given.hours for stream in read_streams(path)]
        teacher = Teacher()
        steps = self._recipe.training.teacher_steps
        teacher.load_state_dict(
            self._kept(
                f"{self._taught}.teacher.pt",
                lambda: train_teacher(
                    words, others, streams, self._recipe.seed, steps, self._lines("teach")
                ),
            )
        )
        chosen_by = read_streams(self._given.chosen_by)
        return Material(words, others, streams, held, chosen_by, teacher.eval())

    def _kept(self, name: str, make: Callable[[], nn.Module]) -> dict:
        """A network's weights, made first if they aren't there."""
        path = self._folder / name
        kept(path, make, lambda net, aside: torch.save(net.state_dict(), aside))
        return torch.load(path)

    def _checkpoint(self, key: str) -> Path:
        return self._folder / f"{key}.checkpoint"

    def _lines(self, stage: str) -> Lines:
        return lambda done, total, line: self._told(stage, done, total, line)
