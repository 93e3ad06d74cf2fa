"""native_load.py FIRMWARE MODEL: no native kernel on this computer, and everything works."""

import os
import sys
from array import array

import uctypes

sys.path.insert(0, sys.argv[1])

import ear.native
from ear.audio import frontend_kernels, mic_kernels
from ear.audio.frontend import FrontEnd
from ear.link import frames
from ear.privacy import adpcm
from ear.spotter import model_kernels
from ear.spotter.model import Model

native = ear.native.load()
assert native.names == [], native.names
assert native.reasons == ["this is no ESP32S3"], native.reasons


class Trial:
    def __init__(self, index):
        print("index of", len(index), "bytes")

    def failed(self):
        return False

    def begin(self):
        pass

    end = begin


# Even taken for an ESP32-S3, it refuses the files: their machine code is for another processor.
ear.native._check_chip = lambda: None
native = ear.native.load(trial=Trial)
assert native.names == [], native.names
assert len(native.reasons) == 6, native.reasons
for reason in native.reasons:
    print(reason)


assert "ear.native.answers" not in sys.modules
assert not hasattr(ear.native, "answers")

from ear.native import answers


# The known-answer tests themselves run here: viper's answers are its own, and ADPCM's and the
# frames' those of plain Python too.
def same(buffer):
    return buffer


class Plain:
    @staticmethod
    def encode(samples, codes, state, count):
        words = array("H", bytes(state))
        adpcm.encode(samples, codes, words, count)
        state[:] = bytes(words)


class PlainLink:
    @staticmethod
    def seal(message, length, out, at, _):
        return frames.seal(message, length, out, at)


for part, twin, untried in (
    ("frontend", frontend_kernels, ["const"]),
    ("spotter", model_kernels, ["add", "clamp"]),
    ("mic", mic_kernels, []),
    ("link", PlainLink, []),
    ("adpcm", Plain, []),
):
    functions, wrong = answers.check(part, getattr(native, part), twin, same)
    assert sorted(wrong) == untried, wrong
    print(part, len(functions), "functions")

end = FrontEnd(native.frontend)
with open(sys.argv[2], "rb") as file:
    model = Model(file.read(), native.spotter)
stepped = 0
for _ in range(12):
    if end.push(os.urandom(320)):
        stepped += model.push(end.features)
print("stepped", stepped)
assert stepped == 10 // model.stride


# What ear.native.locate relies on: a function object's fourth word says where its machine code
# lies. On a computer that is in pages of its own.
def fourth_word(function):
    size = 4 if sys.maxsize < 1 << 32 else 8
    return int.from_bytes(bytes(uctypes.bytearray_at(id(function) + 3 * size, size)), "little")


for function in (mic_kernels.narrow, model_kernels.conv, frontend_kernels.slide):
    assert fourth_word(function) % 4096 == 0
