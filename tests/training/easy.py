"""A word that is easy to hear, and talk that is nothing like it, as embeddings."""

import numpy as np

from bluering.training import embeddings
from bluering.training.negatives import Stream
from bluering.training.teacher import CONTEXT, rows_of_moments
from bluering.training.tracks import FRAMES, MOMENTS, NOWHERE, Tracks


def normal(count: int, seed: int, moments: int = MOMENTS) -> embeddings.Embeddings:
    shape = (count, moments, embeddings.SIZE)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float16)


def easy_tracks(count: int, word: bool, seed: int) -> Tracks:
    embedded = normal(count, seed)
    rows = rows_of_moments()
    if word:  # said from row 200 to row 240
        heard = (rows >= 205) & (rows <= 250)
        embedded[:, CONTEXT - 1 :][:, heard, :8] += 3
    place = np.full(count, 200 if word else NOWHERE, np.int16)
    end = np.full(count, 240 if word else NOWHERE, np.int16)
    nothing = np.zeros(count, np.float32)
    features = np.zeros((count, FRAMES, 40), np.uint8)
    return Tracks(features, place, end, np.zeros(count, np.int32), nothing, nothing, embedded)


def talk(moments: int, seed: int) -> Stream:
    rows = embeddings.FIRST + moments * embeddings.EVERY
    return Stream("talk", np.zeros((rows, 40), np.uint8), normal(1, seed, moments)[0])
