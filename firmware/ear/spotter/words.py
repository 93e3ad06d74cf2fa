"""The words that a device listens for: a model and a detector each, on one front end.

A word is two files, made on the host: NAME.ear, the compiled model, and NAME.json, what its
detector needs to know: the word as people write it, the cutoff (0..255) and the window.
"""

import gc
import json
import os

from ear.settings import CUTOFF_PREFIX
from ear.spotter.detector import REFRACTORY_HOPS, Detector
from ear.spotter.files import FOLDER, names
from ear.spotter.model import Model, ModelError

_SIZE = 6  # of os.stat's fields


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

    def reset(self):
        """Forget what was heard, after a gap in the sound."""
        self.model.reset()
        self.detector.reset()


def load(settings, kernels=None, loaded=None, folder=FOLDER):
    """The words to listen for, sorted by name; ``kernels`` are the spotter's; ``loaded``: a list
    that each word is added to as soon as it is there.

    Raises ModelError naming the file and the fault.
    """
    there = names(folder)
    wanted = settings.get("words") or there
    if not wanted:
        raise ModelError(f"there is no model in {folder}/")
    for name in wanted:
        if name not in there:
            raise ModelError(f"there is no {folder}/{name}.ear for the setting 'words'")
    words = []
    for name in wanted:
        words.append(_load_word(folder, name, settings, kernels))
        if loaded is not None:
            loaded.append(words[-1])
    return words


def _load_word(folder, name, settings, kernels):
    path = f"{folder}/{name}"
    try:
        with open(path + ".json") as file:
            manifest = json.load(file)
        model = Model(_read(path + ".ear"), kernels)
        return Word(name, model, manifest, settings.get(CUTOFF_PREFIX + name))
    except (OSError, ValueError, KeyError) as error:
        raise ModelError(f"{path}.json: {error}")
    except ModelError as error:
        raise ModelError(f"{path}.ear: {error}")


def _read(path):
    """A file's bytes in one piece of memory: ``file.read()`` would need it twice for a moment."""
    blob = bytearray(os.stat(path)[_SIZE])
    gc.collect()
    with open(path, "rb") as file:
        if file.readinto(blob) != len(blob):
            raise ModelError("it ends before its length")
    return blob
