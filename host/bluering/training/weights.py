"""The stages with weights, teach, train, branch and quantise, each kept under its inputs' hash."""

import multiprocessing
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
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
from bluering.training.stages import Told, digest, kept, read_streams, read_tracks
from bluering.training.teacher import Teacher, train_teacher
from bluering.training.tracks import Tracks

# Counted up when the code of a stage changes what it makes.
_TEACH, _TRAIN, _BRANCH, _QUANTISE = 2, 9, 1, 9

_LATER = ("batch", "doubted")  # what came later, not in older files' names
_AFTER = ("trunks", "branches", "branch_steps")  # of the recipe's training: what follows "train"


@dataclass(frozen=True)
class Given:
    """What weights come from: files of tracks by kind, of hours to learn from, and of those to
    choose by. human: which of the clips held out sound enough like people to choose by."""

    tracks: dict[str, list[Path]]
    human: Sequence[bool]
    hours: list[Path]
    chosen_by: Path

    def held_out_words(self) -> Tracks:
        """Those to choose by."""
        held = read_tracks(self.tracks["held_out"])
        return held.of_clips(self.human) if any(self.human) else held

    def key(self) -> list[object]:
        """All that a network learns from."""
        tracks = {kind: [p.stem for p in paths] for kind, paths in sorted(self.tracks.items())}
        return [tracks, [path.stem for path in self.hours]]


def fitted(recipe: Recipe, given: Given, folder: Path, jobs: int, told: Told) -> QuantisedNet:
    """The network with int8 in the loop; what is in the folder already isn't made again. jobs: how
    many networks learn at a time, which doesn't change what they become."""
    return _Weights(recipe, given, folder, jobs, told).quantised()


@dataclass(frozen=True)
class _Way:
    """One network's training: from nothing, or from a trunk on."""

    number: int
    stage: str
    key: str
    trunk: Net | None = None


@dataclass(frozen=True)
class _Weights:
    """Each stage's weights. What they are learned from is read once, and only if it is needed."""

    recipe: Recipe
    given: Given
    folder: Path
    jobs: int
    told: Told

    def quantised(self) -> QuantisedNet:
        training = self.recipe.training
        after = training.model_dump(include=set(_AFTER), exclude_defaults=True)
        ways = (after,) if after else ()  # not in older files' names
        key = digest(_QUANTISE, self._trained, training.quantised_steps, self.recipe.window, *ways)
        lines, checkpoint = self._lines("quantise"), self._checkpoint(key)
        net = QuantisedNet(Net(self.recipe.network))
        net.load_state_dict(
            self._kept(
                f"{key}.pt",
                lambda: quantise(self.recipe, self._material, self._mean(), checkpoint, lines),
            )
        )
        return net.eval()

    def _mean(self) -> Net:
        """Of the trained network and its branches."""
        trunk = self._trunk()
        numbers = range(1, self.recipe.training.branches + 1)
        branches = self._nets([self._branch(number, trunk) for number in numbers])
        return cast(Net, mean_of([trunk, *branches])).eval() if branches else trunk

    def _trunk(self) -> Net:
        """Of those trained apart the one that misses least of what is held out."""
        nets = self._nets([self._attempt(n) for n in range(self.recipe.training.trunks)])
        if len(nets) == 1:
            return nets[0]
        return min(nets, key=lambda net: misses(net, self._material, self.recipe.window))

    def _attempt(self, number: int) -> _Way:
        """From nothing, by other dice for each number."""
        key = digest(self._trained, number) if number else self._trained
        return _Way(number, f"train {number + 1}" if number else "train", key)

    def _branch(self, number: int, trunk: Net) -> _Way:
        training = self.recipe.training
        key = digest(_BRANCH, self._trained, training.trunks, training.branch_steps, number)
        return _Way(number, f"branch {number}", key, trunk)

    def _nets(self, ways: list[_Way]) -> list[Net]:
        """The networks at their ends; in as many processes as there may be, this one included."""
        missing = [way for way in ways if not (self.folder / f"{way.key}.pt").exists()]
        here = missing[:: self.jobs]
        elsewhere = [way for way in missing if way not in here]
        if elsewhere:
            _ = self._material  # the teacher, which all of them need, is trained before
            alone = replace(self, jobs=1, told=_silently)
            context = multiprocessing.get_context("spawn")
            with ProcessPoolExecutor(self.jobs - 1, context) as pool:
                others = [pool.submit(alone.learned, way) for way in elsewhere]
                for way in here:
                    self.learned(way)
                for way, other in zip(elsewhere, others, strict=True):
                    other.result()
                    self.told(way.stage, 1, 1, "beside the others")
        return [self.learned(way) for way in ways]

    def learned(self, way: _Way) -> Net:
        """The network at the end of its way."""
        lines, checkpoint = self._lines(way.stage), self._checkpoint(way.key)
        own = self.recipe.model_copy(update={"seed": self.recipe.seed + way.number})

        def make() -> Net:
            if way.trunk is None:
                return train(own, self._material, checkpoint, lines)
            return branch(self.recipe, way.number, self._material, way.trunk, checkpoint, lines)

        net = Net(self.recipe.network)
        net.load_state_dict(self._kept(f"{way.key}.pt", make))
        return net.eval()

    def _departing(self) -> list[dict]:
        """What departs from the usual; the usual isn't in older files' names."""
        own = self.recipe.training.model_dump(include=set(_LATER), exclude_defaults=True)
        return [own] if own else []

    @cached_property
    def _taught(self) -> str:
        return digest(
            _TEACH, self.recipe.seed, self.recipe.training.teacher_steps, *self.given.key()
        )

    @cached_property
    def _trained(self) -> str:
        return digest(
            _TRAIN,
            self._taught,
            self.recipe.network.model_dump(),
            self.recipe.training.model_dump(
                exclude={*_LATER, "threads", "quantised_steps", *_AFTER}
            ),
            *self._departing(),
        )

    @cached_property
    def _material(self) -> Material:
        words, others = load_tracks(self.given.tracks)
        streams = [stream for path in self.given.hours for stream in read_streams(path)]
        teacher = Teacher()
        steps = self.recipe.training.teacher_steps
        teacher.load_state_dict(
            self._kept(
                f"{self._taught}.teacher.pt",
                lambda: train_teacher(
                    words, others, streams, self.recipe.seed, steps, self._lines("teach")
                ),
            )
        )
        chosen_by = read_streams(self.given.chosen_by)
        held = self.given.held_out_words()
        return Material(words, others, streams, held, chosen_by, teacher.eval())

    def _kept(self, name: str, make: Callable[[], nn.Module]) -> dict:
        """A network's weights, made first if they aren't there."""
        path = self.folder / name
        kept(path, make, lambda net, aside: torch.save(net.state_dict(), aside))
        return torch.load(path)

    def _checkpoint(self, key: str) -> Path:
        return self.folder / f"{key}.checkpoint"

    def _lines(self, stage: str) -> Lines:
        return lambda done, total, line: self.told(stage, done, total, line)


def _silently(*_: object) -> None:
    """In another process there is nobody to tell."""
