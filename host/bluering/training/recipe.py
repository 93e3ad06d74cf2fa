"""The recipe of a wake word: a TOML file with a phrase and whatever differs from the defaults."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bluering.training.errors import TrainingError

_STRICT = ConfigDict(extra="forbid", frozen=True)
_Count = Annotated[int, Field(ge=0, le=100_000)]
NoiseBy = Literal["time", "kind"]  # see augment/noises.py
TracksNoiseBy = NoiseBy | Literal["both"]  # by kind in every third file of tracks, else by time


class Clips(BaseModel):
    """How many utterances of one kind each engine speaks."""

    model_config = _STRICT

    kokoro: _Count = 0
    espeak: _Count = 0
    flite: _Count = 0


class Speech(BaseModel):
    """Utterances by kind. Those held out come from voices and an engine that aren't trained on:
    they choose between weights and measure what there are no real recordings for."""

    model_config = _STRICT

    word: Clips = Clips(kokoro=800, espeak=1000)
    look_alike: Clips = Clips(kokoro=300, espeak=1000)
    sentence: Clips = Clips(kokoro=200, espeak=600)
    held_out: Clips = Clips(kokoro=200, espeak=200, flite=200)


class Tracks(BaseModel):
    """Augmented stretches of audio, about four seconds each, that the network trains on."""

    model_config = _STRICT

    word: Annotated[int, Field(ge=100)] = 10_000
    close: _Count = 3_000  # the word close to the microphone, in silence
    recorded: _Count = 6_000  # with real recordings of the word, where the recipe names some
    look_alike: _Count = 4_000
    part: _Count = 800
    sentence: _Count = 3_000
    noise: _Count = 600
    held_out: Annotated[int, Field(ge=50)] = 800


class Network(BaseModel):
    """A streaming network with mixed depthwise convolutions; see fit/net.py."""

    model_config = _STRICT

    stride: Annotated[int, Field(ge=1, le=4)] = 3
    first: Annotated[int, Field(ge=8, le=128)] = 48
    channels: tuple[int, ...] = (64, 64, 64, 64)
    kernels: tuple[tuple[int, ...], ...] = ((5,), (7, 11), (9, 15), (17,))
    head: Annotated[int, Field(ge=1, le=32)] = 6


class Batch(BaseModel):
    """What is in the batch of one training step."""

    model_config = _STRICT

    words: Annotated[int, Field(ge=1, le=256)] = 36
    others: Annotated[int, Field(ge=1, le=256)] = 28  # look-alikes, other talk, noise
    hours: Annotated[int, Field(ge=1, le=256)] = 36  # excerpts of recordings and chatter


class Training(BaseModel):
    """Steps, learning rate and weights of the losses."""

    model_config = _STRICT

    batch: Batch = Batch()
    doubted: bool = True  # whether the teacher may lower scores within a word
    teacher_steps: Annotated[int, Field(ge=1)] = 2_000
    steps: Annotated[int, Field(ge=1)] = 6_000
    trunks: Annotated[int, Field(ge=1, le=4)] = 1  # trained from scratch; the best one is kept
    branches: Annotated[int, Field(ge=0, le=8)] = 0  # fine-tuned copies; the mean ships
    branch_steps: Annotated[int, Field(ge=1)] = 4_000
    quantised_steps: Annotated[int, Field(ge=1)] = 600  # in addition, with int8 in the loop
    negative_weight: Annotated[float, Field(gt=0)] = 1.5
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    threads: Annotated[int, Field(ge=1)] = 2  # per network; 1 if several train at once


class Recipe(BaseModel):
    """Everything that decides what a model becomes, except for the versions in its lock."""

    model_config = _STRICT

    phrase: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z' ]*$")]
    seed: int = 1
    pronunciations: tuple[str, ...] = ()  # of the phrase, in Kokoro's alphabet
    confusables: tuple[str, ...] = ()  # phrases that must not wake it, besides the automatic ones
    recordings: tuple[str, ...] = ()  # folders of real clips of the word, to train on too
    window: Annotated[int, Field(ge=1, le=20)] = 5  # scores in the sliding mean
    accepts_per_hour: Annotated[float, Field(gt=0)] = 0.5  # that the cutoff allows
    speech: Speech = Speech()
    tracks: Tracks = Tracks()
    noise_by: TracksNoiseBy = "time"  # how the noise behind tracks is drawn
    narrow: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of band-limited tracks
    altered: Annotated[int, Field(ge=0, le=20)] = 2  # altered copies of the recordings to train on
    chatter: Annotated[float, Field(ge=0)] = 4.0  # hours of synthetic talk that never says the word
    network: Network = Network()
    training: Training = Training()

    @property
    def name(self) -> str:
        """For files: "hey_echo"."""
        return re.sub(r"[^a-z0-9]+", "_", self.phrase.lower())


def read_recipe(path: Path) -> Recipe:
    """Read a recipe's file. Raises TrainingError, which names what is wrong in it."""
    try:
        return Recipe.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise TrainingError(f"the recipe {path} can't be read: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise TrainingError(f"the recipe {path} isn't TOML: {error}") from error
    except ValidationError as error:
        faults = "; ".join(
            f"{'.'.join(map(str, fault['loc']))}: {fault['msg']}" for fault in error.errors()
        )
        raise TrainingError(f"the recipe {path} has {faults}") from error


def find_recipe(word: str, folder: Path) -> Recipe:
    """The recipe of that name in the folder, the recipe in a file (.toml), or the defaults for any
    other phrase. Raises TrainingError."""
    if word.endswith(".toml"):
        return read_recipe(Path(word))
    own = folder / f"{re.sub(r'[^a-z0-9]+', '_', word.lower())}.toml"
    if own.is_file():
        return read_recipe(own)
    try:
        return Recipe(phrase=word)
    except ValidationError as error:
        raise TrainingError(
            f"{word!r} is neither a recipe nor an English phrase, which is made of letters, spaces "
            "and apostrophes"
        ) from error


_SMOKE = Training(
    teacher_steps=20, steps=30, trunks=2, branches=1, branch_steps=10, quantised_steps=20
)


def smoke_recipe(recipe: Recipe) -> Recipe:
    """The same recipe with hardly anything to do in each stage, to test the pipeline itself."""
    few = Clips(espeak=12)
    return recipe.model_copy(
        update={
            "speech": Speech(word=few, look_alike=few, sentence=few, held_out=few),
            "tracks": Tracks(
                word=100,
                close=20,
                recorded=20,
                look_alike=30,
                part=10,
                sentence=20,
                noise=10,
                held_out=50,
            ),
            "altered": 1,
            "chatter": 0.01,
            "network": Network(first=8, channels=(8, 8), kernels=((5,), (9,)), head=4),
            "training": _SMOKE,
            "accepts_per_hour": 10_000.0,
        }
    )
