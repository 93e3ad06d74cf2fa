"""The words' files on the board."""

import os

FOLDER = "models"


def names(folder=FOLDER):
    """The names of the words that are there, sorted."""
    return sorted(name[:-4] for name in os.listdir(folder) if name.endswith(".ear"))
