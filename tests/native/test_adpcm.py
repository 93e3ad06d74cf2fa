"""The native ADPCM kernel where the firmware uses it: equal to its plain twin, hop by hop."""

import random

from ear.privacy import codecs
from tests.native import world
from tests.targets.native import kernels_on
from tests.targets.pie import Core


def test_sound_is_encoded_by_the_native_kernel_where_its_buffers_lie():
    core = Core(world.native_code("adpcm"))
    native, plain = codecs.Encoder(kernels_on(core)), codecs.Encoder()
    bodies = bytearray(codecs.CAPACITY), bytearray(codecs.CAPACITY)
    for hop in (random.Random(seed).randbytes(2 * codecs.HOP) for seed in range(3)):
        for encoder, body in zip((native, plain), bodies, strict=True):
            encoder.push(hop, body)
    assert core.counts["encode"]
    assert bodies[0] == bodies[1] != bytes(len(bodies[0]))
