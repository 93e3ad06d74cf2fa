"""The teacher's input: Google's speech embedding, trained on a great many real recordings.

The network of Lin et al., "Training Keyword Spotters with Limited and Synthesized Speech Data"
(2020), Apache-2.0, from the package pyopen-wakeword. It is run over whole recordings: its
convolutions pad in frequency only, so that the result is the same as for windows of 760 ms.
"""

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bluering.training.errors import TrainingError

SIZE = 96
EVERY = 8  # rows from one embedding to the next
FIRST = 75  # the row of features with which the first one ends

_WINDOW = 76  # of its own rows, 10 ms each
_BANDS = 32
_LENGTHS = 4096  # of its own rows at a time: 41 s

Embeddings = NDArray[np.float16]


def no_embeddings() -> Embeddings:
    """For a stream that the teacher doesn't need."""
    return np.zeros((0, SIZE), np.float16)


def embeddings(samples: NDArray[np.int16]) -> Embeddings:
    """(moments, SIZE) of a recording at 16 kHz; moment j ends with row FIRST + j * EVERY."""
    bands = _mel(samples.astype(np.float32))
    moments = max(0, (len(bands) - _WINDOW) // EVERY + 1)
    found = np.zeros((moments, SIZE), np.float16)
    step = (_LENGTHS - _WINDOW) // EVERY
    for at in range(0, moments, step):
        count = min(step, moments - at)
        part = bands[at * EVERY : (at + count - 1) * EVERY + _WINDOW]
        output = _run("embedding_model", part[None, :, :, None])
        found[at : at + count] = output.reshape(-1, SIZE)
    return found


def _mel(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    piece, hop, window = 160 * 3000, 160, 512
    parts = []
    for at in range(0, max(1, len(samples) - window + 1), piece):
        part = samples[at : at + piece + window - hop]
        if len(part) >= window:
            parts.append(_run("melspectrogram", part[None]).reshape(-1, _BANDS))
    bands = np.concatenate(parts) if parts else np.zeros((0, _BANDS), np.float32)
    return np.asarray(bands / 10 + 2, np.float32)


def _run(name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
    interpreter = _interpreter(name, x.shape)
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


@lru_cache(maxsize=8)
def _interpreter(name: str, shape: tuple[int, ...]) -> Any:
    from ai_edge_litert.interpreter import Interpreter

    interpreter = Interpreter(str(_models() / f"{name}.tflite"), num_threads=1)
    interpreter.resize_tensor_input(interpreter.get_input_details()[0]["index"], shape)
    interpreter.allocate_tensors()
    return interpreter


def _models() -> Path:
    spec = find_spec("pyopen_wakeword")
    if spec is None or not spec.submodule_search_locations:
        raise TrainingError(
            "the package pyopen-wakeword is missing; run: pip install 'bluering[train]'"
        )
    return Path(spec.submodule_search_locations[0]) / "models"
