"""The recipe of a wake word: a TOML file with a phrase and what departs from the defaults."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bluering.training.errors import TrainingError

_STRICT = ConfigDict(extra="forbid", frozen=True)
_Count = Annotated[int, Field(ge=0, le=100_000)]
NoiseBy = Literal["time", "kind"]  # see noises.py
TracksNoiseBy = NoiseBy | Literal["both"]  # by kind in every third file of tracks, by time else


class Clips(BaseModel):
    """How many utterances each engine speaks of one kind."""

    model_config = _STRICT

    kokoro: _Count = 0
    espeak: _Count = 0
    flite: _Count = 0


class Speech(BaseModel):
    """Utterances by kind. Those held out come from voices and an engine that training never
    hears: they choose between the weights and measure what real recordings are lacking for."""

    model_config = _STRICT

    word: Clips = Clips(kokoro=800, espeak=1000)
    look_alike: Clips = Clips(kokoro=300, espeak=1000)
    sentence: Clips = Clips(kokoro=200, espeak=600)
    held_out: Clips = Clips(kokoro=200, espeak=200, flite=200)


class Tracks(BaseModel):
    """Augmented stretches of three seconds that the network learns from."""

    model_config = _STRICT

    word: Annotated[int, Field(ge=100)] = 10_000
    close: _Count = 3_000  # the word in silence, into the microphone
    recorded: _Count = 6_000  # of real recordings of the word, where the recipe names some
    look_alike: _Count = 4_000
    part: _Count = 800
    sentence: _Count = 3_000
    noise: _Count = 600
    held_out: Annotated[int, Field(ge=50)] = 800


class Network(BaseModel):
    """A streaming network of mixed depthwise layers; see net.py."""

    model_config = _STRICT

    stride: Annotated[int, Field(ge=1, le=4)] = 3
    first: Annotated[int, Field(ge=8, le=128)] = 48
    channels: tuple[int, ...] = (64, 64, 64, 64)
    kernels: tuple[tuple[int, ...], ...] = ((5,), (7, 11), (9, 15), (17,))
    head: Annotated[int, Field(ge=1, le=32)] = 6


class Batch(BaseModel):
    """What a step of training learns from."""

    model_config = _STRICT

    words: Annotated[int, Field(ge=1, le=256)] = 36
    others: Annotated[int, Field(ge=1, le=256)] = 28  # tracks without the word: look-alikes, talk
    hours: Annotated[int, Field(ge=1, le=256)] = 36  # excerpts of recordings and of chatter


class Training(BaseModel):
    """How long and how hard."""

    model_config = _STRICT

    batch: Batch = Batch()
    doubted: bool = True  # whether the teacher may say of a word that it is none
    teacher_steps: Annotated[int, Field(ge=1)] = 2_000
    steps: Annotated[int, Field(ge=1)] = 6_000
    trunks: Annotated[int, Field(ge=1, le=4)] = 1  # trained apart; the one that misses least stays
    branches: Annotated[int, Field(ge=0, le=8)] = 0  # go on from it apart; the mean of all ships
    branch_steps: Annotated[int, Field(ge=1)] = 4_000
    quantised_steps: Annotated[int, Field(ge=1)] = 600  # the last ones, int8 in the loop
    negative_weight: Annotated[float, Field(gt=0)] = 1.5
    learning_rate: Annotated[float, Field(gt=0)] = 3e-3
    threads: Annotated[int, Field(ge=1)] = 2  # of a network; 1 where several learn side by side


class Recipe(BaseModel):
    """All that decides what a model becomes, but the sources' versions, which the lock tells."""

    model_config = _STRICT

    phrase: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z' ]*$")]
    seed: int = 1
    pronunciations: tuple[str, ...] = ()  # in Kokoro's alphabet
    confusables: tuple[str, ...] = ()
    recordings: tuple[str, ...] = ()  # folders of real clips of the word, in addition
    window: Annotated[int, Field(ge=1, le=20)] = 5  # outputs in the sliding mean
    accepts_per_hour: Annotated[float, Field(gt=0)] = 0.5  # where the cutoff is chosen
    speech: Speech = Speech()
    tracks: Tracks = Tracks()
    noise_by: TracksNoiseBy = "time"  # how noise is drawn for tracks
    narrow: Annotated[float, Field(ge=0, le=1)] = 0.0  # share of tracks with a telephone's band
    altered: Annotated[int, Field(ge=0, le=20)] = 2  # more hearings of the recordings to learn from
    chatter: Annotated[float, Field(ge=0)] = 4.0  # hours of synthetic talk without the word
    network: Network = Network()
    training: Training = Training()

    @property
    def name(self) -> str:
        """For files: "hey_echo"."""
        return re.sub(r"[^a-z0-9]+", "_", self.phrase.lower())


def read_recipe(path: Path) -> Recipe:
    """A recipe's file. Raises TrainingError that names what is wrong in it."""
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
    """The recipe of that name in the folder, the recipe in a file (.toml), or the default one for
    any other phrase. Raises TrainingError."""
    if word.endswith(".toml"):
        return read_recipe(Path(word))
    own = folder / f"{re.sub(r'[^a-z0-9]+', '_', word.lower())}.toml"
    if own.is_file():
        return read_recipe(own)
    try:
        return Recipe(phrase=word)
    except ValidationError as error:
        raise TrainingError(
            f"{word!r} is neither a recipe nor an English phrase: letters, spaces and apostrophes"
        ) from error


_SMOKE = Training(
    teacher_steps=20, steps=30, trunks=2, branches=1, branch_steps=10, quantised_steps=20
)


def smoke_recipe(recipe: Recipe) -> Recipe:
    """Every stage with hardly anything to do; for tests of the way, not of the model."""
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
