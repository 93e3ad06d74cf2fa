"""Weights of the teacher, trunks, branches and the int8 network, kept under hashes of their
inputs."""

from dataclasses import dataclass
from functools import cached_property
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
from bluering.training.fit.train import branch, misses, quantise, train
from bluering.training.recipe import Recipe
from bluering.training.workers import StepProgress, report

# Counted up when the code of a stage changes what it makes.
_TEACH, _TRAIN, _BRANCH, _QUANTISE = 4, 11, 2, 12

# Of the recipe's training: what only the stages after "train" depend on.
_AFTER = {"trunks", "branches", "branch_steps", "quantised_steps"}


@dataclass(frozen=True)
class Run:
    """One training run: from scratch, or a branch, which fine-tunes a trunk."""

    number: int
    stage: str
    key: str
    trunk: "Run | None" = None


@dataclass(frozen=True)
class Weights:
    """The weights of each stage; the dataset is read only if they aren't in the folder yet."""

    recipe: Recipe
    dataset: Dataset
    folder: Path

    def teach(self) -> None:
        """The stage "teach": the teacher, and its logits for all runs that follow."""
        if not self._lessons_path.exists():
            kept(self._teacher_path, self._teacher, _write)
            kept(self._lessons_path, self._lessons, write_arrays)

    def trunk(self, number: int) -> Run:
        """A run from scratch. number: from 0, which changes its seed."""
        stage = f"train {number + 1}" if number else "train"
        return Run(number, stage, digest(self._train_key, number))

    def branch(self, number: int, trunk: Run) -> Run:
        """A run that fine-tunes a trunk. number: from 1, which changes its seed."""
        training = self.recipe.training
        key = digest(_BRANCH, self._train_key, training.trunks, training.branch_steps, number)
        return Run(number, f"branch {number}", key, trunk)

    def train(self, run: Run) -> None:
        """The stages "train" and "branch"."""
        progress, checkpoint = self._progress(run.stage), self._checkpoint(run.key)
        seeded = self.recipe.model_copy(update={"seed": self.recipe.seed + run.number})

        def made() -> Net:
            if run.trunk is None:
                return train(seeded, self._material, checkpoint, progress)
            trunk = self._net(run.trunk)
            return branch(self.recipe, run.number, self._material, trunk, checkpoint, progress)

        kept(self.path(run.key), made, _write)

    def best(self, trunks: list[Run]) -> Run:
        """The one with the fewest held-out misses."""
        if len(trunks) == 1:
            return trunks[0]
        torch.set_num_threads(self.recipe.training.threads)  # as in training
        material, window = self._material, self.recipe.window
        return min(trunks, key=lambda run: misses(self._net(run), material, window))

    def quantise(self, runs: list[Run]) -> None:
        """The stage "quantise", from the mean of a trunk and its branches."""

        def made() -> QuantisedNet:
            mean = cast(Net, mean_of([self._net(run) for run in runs])).eval()
            progress, checkpoint = self._progress("quantise"), self._checkpoint(self.quantised_key)
            return quantise(self.recipe, self._material, mean, checkpoint, progress)

        kept(self.path(self.quantised_key), made, _write)

    @cached_property
    def quantised_key(self) -> str:
        """The key of the last stage."""
        after = self.recipe.training.model_dump(include=_AFTER)
        return digest(_QUANTISE, self._train_key, after, self.recipe.window)

    def path(self, key: str) -> Path:
        """The file of the weights with this key."""
        return self.folder / f"{key}.pt"

    def _net(self, run: Run) -> Net:
        """The network that a run gave."""
        net = Net(self.recipe.network)
        net.load_state_dict(torch.load(self.path(run.key)))
        return net.eval()

    @property
    def _teacher_path(self) -> Path:
        return self.path(f"{self._teach_key}.teacher")

    @property
    def _lessons_path(self) -> Path:
        return self.folder / f"{self._teach_key}.lessons.npz"

    @cached_property
    def _teach_key(self) -> str:
        # The number of threads changes the order of sums, and with it their last bits.
        steps, threads = self.recipe.training.teacher_steps, self.recipe.training.threads
        return digest(_TEACH, self.recipe.seed, steps, threads, *self.dataset.key())

    @cached_property
    def _train_key(self) -> str:
        training = self.recipe.training.model_dump(exclude=_AFTER)
        return digest(_TRAIN, self._teach_key, self.recipe.network.model_dump(), training)

    def _teacher(self) -> Teacher:
        words, others, streams = self._train_data()
        training, progress = self.recipe.training, self._progress("teach")
        return train_teacher(
            words,
            others,
            streams,
            self.recipe.seed,
            training.teacher_steps,
            progress,
            training.threads,
        )

    def _lessons(self) -> Lessons:
        teacher = Teacher()
        teacher.load_state_dict(torch.load(self._teacher_path))
        torch.set_num_threads(self.recipe.training.threads)
        return Lessons.by(teacher.eval(), *self._train_data())

    @property
    def _material(self) -> Material:
        data, lessons = self.dataset, read_arrays(Lessons, self._lessons_path)
        held_out = data.held_out_words(), data.held_out_streams()
        return Material(*self._train_data(), *held_out, lessons)

    def _train_data(self) -> tuple[Tracks, Tracks, list[Stream]]:
        return *self.dataset.train_tracks(), self.dataset.train_streams()

    def _checkpoint(self, key: str) -> Path:
        return self.folder / f"{key}.checkpoint"

    def _progress(self, stage: str) -> StepProgress:
        return lambda done, total, line: report(stage, done, total, line)


def _write(net: nn.Module, path: Path) -> None:
    torch.save(net.state_dict(), path)
