"""The stages with weights, teach, train, branch and quantise, each kept under its inputs' hash."""

from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import cast

import torch
from torch import nn

from bluering.training.augment.stage import Dataset
from bluering.training.augment.streams import Stream
from bluering.training.augment.tracks import Tracks
from bluering.training.cache import digest, kept, read_arrays, write_arrays
from bluering.training.fit.averaging import mean_of
from bluering.training.fit.lessons import Lessons
from bluering.training.fit.loop import Material
from bluering.training.fit.net import Net
from bluering.training.fit.quantised import QuantisedNet
from bluering.training.fit.teacher import Teacher, train_teacher
from bluering.training.fit.train import Told as Lines
from bluering.training.fit.train import branch, misses, quantise, train
from bluering.training.places import Places
from bluering.training.recipe import Recipe
from bluering.training.workers import Learners, Told, tell

# Counted up when the code of a stage changes what it makes.
_TEACH, _TRAIN, _BRANCH, _QUANTISE = 4, 11, 2, 12

# Of the recipe's training: what only the stages after "train" depend on.
_AFTER = {"trunks", "branches", "branch_steps", "quantised_steps"}


def fit(recipe: Recipe, dataset: Dataset, places: Places, told: Told) -> QuantisedNet:
    """The network with int8 in the loop; what is in the cache already isn't made again. How many
    processes there are doesn't change what it becomes. Raises TrainingError."""
    weights = _Weights(recipe, dataset, places.cache / "weights")
    path = weights.path(weights.quantised)
    if not path.exists():
        with Learners(places.jobs, told) as learners:
            _learn(weights, learners)
    net = QuantisedNet(Net(recipe.network))
    net.load_state_dict(torch.load(path))
    return net.eval()


def _learn(weights: "_Weights", learners: Learners) -> None:
    """One stage after the other; the networks of a stage side by side."""
    training = weights.recipe.training
    learners.learn(weights.teach)
    trunks = [weights.attempt(number) for number in range(training.trunks)]
    learners.learn(*(partial(weights.learn, way) for way in trunks))
    [trunk] = learners.learn(partial(weights.best, trunks))
    branches = [weights.branch(number + 1, trunk) for number in range(training.branches)]
    learners.learn(*(partial(weights.learn, way) for way in branches))
    learners.learn(partial(weights.quantise, [trunk, *branches]))


@dataclass(frozen=True)
class _Way:
    """One network's training: from nothing, or from a trunk on."""

    number: int
    stage: str
    key: str
    trunk: "_Way | None" = None


@dataclass(frozen=True)
class _Weights:
    """Each stage's weights; what they are learned from is read only if they aren't there."""

    recipe: Recipe
    dataset: Dataset
    folder: Path

    def teach(self) -> None:
        """The stage "teach", for all that follow: the teacher and what it says."""
        if not self._lessons_path.exists():
            kept(self._teacher_path, self._teacher, _write)
            kept(self._lessons_path, self._lessons, write_arrays)

    def attempt(self, number: int) -> _Way:
        """From nothing, by other dice for each number."""
        stage = f"train {number + 1}" if number else "train"
        return _Way(number, stage, digest(self._trained, number))

    def branch(self, number: int, trunk: _Way) -> _Way:
        """On from the trunk, by other dice for each number from 1 on."""
        training = self.recipe.training
        key = digest(_BRANCH, self._trained, training.trunks, training.branch_steps, number)
        return _Way(number, f"branch {number}", key, trunk)

    def learn(self, way: _Way) -> None:
        """The stages "train" and "branch"."""
        lines, checkpoint = self._lines(way.stage), self._checkpoint(way.key)
        own = self.recipe.model_copy(update={"seed": self.recipe.seed + way.number})

        def made() -> Net:
            if way.trunk is None:
                return train(own, self._material, checkpoint, lines)
            trunk = self._net(way.trunk)
            return branch(self.recipe, way.number, self._material, trunk, checkpoint, lines)

        kept(self.path(way.key), made, _write)

    def best(self, ways: list[_Way]) -> _Way:
        """Of networks trained apart the one that misses least of what is held out."""
        if len(ways) == 1:
            return ways[0]
        torch.set_num_threads(self.recipe.training.threads)  # as in the processes that learned
        material, window = self._material, self.recipe.window
        return min(ways, key=lambda way: misses(self._net(way), material, window))

    def quantise(self, ways: list[_Way]) -> None:
        """The stage "quantise", of the mean of networks that began as one."""

        def made() -> QuantisedNet:
            mean = cast(Net, mean_of([self._net(way) for way in ways])).eval()
            lines, checkpoint = self._lines("quantise"), self._checkpoint(self.quantised)
            return quantise(self.recipe, self._material, mean, checkpoint, lines)

        kept(self.path(self.quantised), made, _write)

    @cached_property
    def quantised(self) -> str:
        """The last stage's key."""
        after = self.recipe.training.model_dump(include=_AFTER)
        return digest(_QUANTISE, self._trained, after, self.recipe.window)

    def path(self, key: str) -> Path:
        """Where a stage's weights are."""
        return self.folder / f"{key}.pt"

    def _net(self, way: _Way) -> Net:
        """The network at the end of its way."""
        net = Net(self.recipe.network)
        net.load_state_dict(torch.load(self.path(way.key)))
        return net.eval()

    @property
    def _teacher_path(self) -> Path:
        return self.path(f"{self._taught}.teacher")

    @property
    def _lessons_path(self) -> Path:
        return self.folder / f"{self._taught}.lessons.npz"

    @cached_property
    def _taught(self) -> str:
        # Sums in another order have other last bits, so the number of threads counts.
        steps, threads = self.recipe.training.teacher_steps, self.recipe.training.threads
        return digest(_TEACH, self.recipe.seed, steps, threads, *self.dataset.key())

    @cached_property
    def _trained(self) -> str:
        training = self.recipe.training.model_dump(exclude=_AFTER)
        return digest(_TRAIN, self._taught, self.recipe.network.model_dump(), training)

    def _teacher(self) -> Teacher:
        words, others, streams = self._learned_from()
        training, lines = self.recipe.training, self._lines("teach")
        return train_teacher(
            words,
            others,
            streams,
            self.recipe.seed,
            training.teacher_steps,
            lines,
            training.threads,
        )

    def _lessons(self) -> Lessons:
        teacher = Teacher()
        teacher.load_state_dict(torch.load(self._teacher_path))
        torch.set_num_threads(self.recipe.training.threads)
        return Lessons.by(teacher.eval(), *self._learned_from())

    @property
    def _material(self) -> Material:
        data, lessons = self.dataset, read_arrays(Lessons, self._lessons_path)
        held_out = data.held_out_words(), data.held_out_streams()
        return Material(*self._learned_from(), *held_out, lessons)

    def _learned_from(self) -> tuple[Tracks, Tracks, list[Stream]]:
        return *self.dataset.train_tracks(), self.dataset.train_streams()

    def _checkpoint(self, key: str) -> Path:
        return self.folder / f"{key}.checkpoint"

    def _lines(self, stage: str) -> Lines:
        return lambda done, total, line: tell(stage, done, total, line)


def _write(net: nn.Module, path: Path) -> None:
    torch.save(net.state_dict(), path)
