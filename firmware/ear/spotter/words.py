"""The words that a device listens for: a model and a detector each, on one front end.

A word is two files, made on the host: NAME.ear, the compiled model, and NAME.json, what its
detector needs to know: the word as people write it, the cutoff (0..255) and the window.
"""

import json
import os

from ear.settings import CUTOFF_PREFIX
from ear.spotter.detector import REFRACTORY_HOPS, Detector
from ear.spotter.model import Model, ModelError

FOLDER = "models"


class Word:
    """One word: ``push`` features into it, and it says when it stepped and when it wakes."""

    def __init__(self, name, model, manifest, cutoff):
        """``manifest``: what NAME.json says; ``cutoff``: instead of its own, unless it is -1."""
        self.name = name
        self.text = manifest["wake_word"]
        self.cutoff = manifest["cutoff"] if cutoff < 0 else cutoff
        self.window = manifest["window"]
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


def names(folder=FOLDER):
    """The names of the words on the board, sorted."""
    return sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".ear"))


def load(settings, kernels=None, folder=FOLDER):
    """The words to listen for, sorted by name; ``kernels`` are the spotter's.

    Raises ModelError naming the file and the fault.
    """
    there = names(folder)
    wanted = settings.get("words") or there
    if not wanted:
        raise ModelError(f"there is no model in {folder}/")
    for name in wanted:
        if name not in there:
            raise ModelError(f"there is no {folder}/{name}.ear for the setting 'words'")
    return [_load_word(folder, name, settings, kernels) for name in wanted]


def _load_word(folder, name, settings, kernels):
    path = f"{folder}/{name}"
    try:
        with open(path + ".json") as file:
            manifest = json.load(file)
        with open(path + ".ear", "rb") as file:
            model = Model(file.read(), kernels)
        return Word(name, model, manifest, settings.get(CUTOFF_PREFIX + name))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}.json: {error}")
    except ModelError as error:
        raise ModelError(f"{path}.ear: {error}")
