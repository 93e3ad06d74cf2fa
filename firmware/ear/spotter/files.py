"""The words' files on the board: NAME.ear, the compiled model, and NAME.json beside it."""

import gc
import os

from ear.spotter.errors import ModelError

FOLDER = "models"
_SIZE = 6  # of os.stat's fields


def names(folder=FOLDER):
    """The names of the words that are there, sorted."""
    return sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".ear"))


def wanted(settings, folder=FOLDER):
    """The names of the words that the settings want. Raises ModelError naming what isn't there."""
    there = names(folder)
    chosen = settings.get("words") or there
    if not chosen:
        raise ModelError(f"there is no model in {folder}/")
    for name in chosen:
        if name not in there:
            raise ModelError(f"there is no {folder}/{name}.ear for the setting 'words'")
    return chosen


def read(name, folder=FOLDER):
    """A compiled model in one piece of memory: ``file.read()`` would need it twice for a moment.

    Raises ModelError.
    """
    path = f"{folder}/{name}.ear"
    try:
        blob = bytearray(os.stat(path)[_SIZE])
        with open(path, "rb") as file:
            length = file.readinto(blob)
    except OSError as error:
        raise ModelError(f"{path} can't be read: {error}")
    if length != len(blob):
        raise ModelError(f"{path} ends before its length")
    gc.collect()
    return blob
