"""The words that a device listens for: a model and a detector each, on one front end.

A word is two files, made on the host: NAME.ear, the compiled model, and NAME.json, what its
detector needs to know: the word as people write it, the cutoff (0..255) and the window.
"""

import json
import os

from ear.spotter.detector import Detector
from ear.spotter.model import Model, ModelError

FOLDER = "models"
REFRACTORY_HOPS = 100  # a second: one utterance wakes once


class Word:
    """One word: ``push`` features into it, and it says when it stepped and when it wakes."""

    def __init__(self, name, model, settings):
        self.name = name
        self.text = settings["wake_word"]
        self.cutoff = settings["cutoff"]
        self.window = settings["window"]
        self.model = model
        self.detector = Detector(self.cutoff, self.window, model.stride, REFRACTORY_HOPS)
        self.stepped = False

    def push(self, features):
        """Take one row of features; returns True when the word was heard."""
        self.stepped = self.model.push(features)
        return self.stepped and self.detector.step(self.model.probability)

    def reset(self):
        """Forget what was heard, after a gap in the sound."""
        self.model.reset()
        self.detector.reset()


def load(folder=FOLDER):
    """The words in a folder, sorted by name. Raises ModelError naming the file and the fault."""
    names = sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".ear"))
    if not names:
        raise ModelError(f"no model in {folder}/")
    return [_load_word(folder, name) for name in names]


def _load_word(folder, name):
    path = f"{folder}/{name}"
    try:
        with open(path + ".json") as file:
            settings = json.load(file)
        with open(path + ".ear", "rb") as file:
            blob = file.read()
        return Word(name, Model(blob), settings)
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}.json: {error}") from error
    except ModelError as error:
        raise ModelError(f"{path}.ear: {error}") from error
