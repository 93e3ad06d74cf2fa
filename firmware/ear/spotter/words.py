"""The words that a device listens for: a model and a detector each, on one front end.

A word is two files, made on the host: NAME.ear, the compiled model, and NAME.json, what its
detector needs to know: the word as people write it, the cutoff (0..255) and the window.
"""

import json

from ear.settings import CUTOFF_PREFIX
from ear.spotter.detector import REFRACTORY_HOPS, Detector
from ear.spotter.errors import ModelError
from ear.spotter.files import FOLDER
from ear.spotter.model import Model


class Word:
    """One word: ``push`` features into it, and it says when it stepped and when it wakes."""

    def __init__(self, name, model, manifest, cutoff):
        """``manifest``: what NAME.json says; ``cutoff``: instead of its own, unless it is -1."""
        self.name = name
        self.text = manifest["wake_word"]
        self.encoded = self.text.encode()
        self.window = manifest["window"]
        self.newest = bytearray(self.window)  # room for the wake's last probabilities
        self.model = model
        self._own_cutoff = manifest["cutoff"]
        self.detector = Detector(0, self.window, model.stride, REFRACTORY_HOPS)
        self.set_cutoff(cutoff)

    def set_cutoff(self, cutoff):
        """Wake above ``cutoff``, 0..255; -1: the manifest's."""
        self.cutoff = self._own_cutoff if cutoff < 0 else cutoff
        self.detector.set_cutoff(self.cutoff)

    def push(self, features):
        """Take one row of features; returns True when the word was heard."""
        model = self.model
        return model.push(features) and self.detector.step(model.probability)

    def reset(self):
        """Forget what was heard, after a gap in the sound."""
        self.model.reset()
        self.detector.reset()


def load(name, blob, settings, kernels=None, folder=FOLDER):
    """The word ``name``, whose compiled model ``files.read`` has read; ``kernels``: the spotter's.

    Raises ModelError naming the file and the fault.
    """
    path = f"{folder}/{name}"
    try:
        with open(path + ".json") as file:
            manifest = json.load(file)
        return Word(name, Model(blob, kernels), manifest, settings.get(CUTOFF_PREFIX + name))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}.json: {error}")
    except ModelError as error:
        raise ModelError(f"{path}.ear: {error}")
