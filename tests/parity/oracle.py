"""What a ``.tflite`` must answer: TensorFlow Lite Micro, or LiteRT's reference kernels.

Both are exact references for each other (the default kernels of desktop runtimes are not): the
one that is installed is used, TFLM first.
"""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

Features = NDArray[np.uint8]  # rows of features, int8 + 128
Probabilities = NDArray[np.uint8]


def probabilities(tflite: bytes, features: Features) -> Probabilities:
    """The probability after every step, from switching on; rows that fill no step are dropped."""
    stride, invoke = _interpreter(tflite)
    steps = len(features) // stride
    rows = (features[: steps * stride].astype(np.int16) - 128).astype(np.int8)
    return np.array([invoke(step) for step in rows.reshape(steps, 1, stride, -1)], np.uint8)


def _interpreter(tflite: bytes) -> tuple[int, Callable[[NDArray[np.int8]], int]]:
    """The stride, and a function from a step's input to its output."""
    for make in (_tflm, _litert):
        try:
            return make(tflite)
        except ImportError:
            continue
    return pytest.skip("neither tflite-micro nor ai-edge-litert is installed")


def _tflm(tflite: bytes):
    from tflite_micro.python.tflite_micro import runtime

    interpreter = runtime.Interpreter.from_bytes(tflite, arena_size=1 << 20)

    def invoke(step):
        interpreter.set_input(step, 0)
        interpreter.invoke()
        return int(interpreter.get_output(0)[0, 0])

    return int(interpreter.get_input_details(0)["shape"][1]), invoke


def _litert(tflite: bytes):
    # Only Pythons without a tflite-micro have it.
    from ai_edge_litert import interpreter as litert  # pyright: ignore[reportMissingImports]

    interpreter = litert.Interpreter(
        model_content=tflite, experimental_op_resolver_type=litert.OpResolverType.BUILTIN_REF
    )
    interpreter.allocate_tensors()
    source, target = interpreter.get_input_details()[0], interpreter.get_output_details()[0]

    def invoke(step):
        interpreter.set_tensor(source["index"], step)
        interpreter.invoke()
        return int(interpreter.get_tensor(target["index"])[0, 0])

    return int(source["shape"][1]), invoke
