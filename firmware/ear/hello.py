"""Presents the device: who it is, what it listens for."""

import sys

from ear.audio.format import HOP, RATE
from ear.link import telemetry

VERSION = "0.1.0"


def present(base, words=()):
    """Send the hello of a device and its words."""
    link = base.link
    implementation = sys.implementation
    runtime = "MicroPython {}.{}.{} on {}".format(
        *implementation.version[:3], getattr(implementation, "_machine", sys.platform)
    )
    telemetry.hello(
        link.out,
        link.session,
        RATE,
        HOP,
        len(words),
        base.led_count,
        VERSION,
        base.name,
        runtime,
        base.kernels,
    )
    for index, word in enumerate(words):
        telemetry.word(
            link.out,
            index,
            word.cutoff,
            word.window,
            word.model.stride,
            word.model.source_sha256,
            word.text,
        )
