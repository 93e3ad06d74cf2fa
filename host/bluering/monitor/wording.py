"""The device's numbers and events as people read them."""

import time
from collections.abc import Iterator
from datetime import datetime

from bluering.link.records import Health, Hello, Wake
from ear.ring import STATES


def printable(text: str) -> str:
    """Text from outside without what would steer the terminal."""
    return "".join(
        character if character.isprintable() or character in "\n\t" else "\N{REPLACEMENT CHARACTER}"
        for character in text.replace("\r\n", "\n")
    )


def fraction(score: int) -> str:
    """A score of 0..255 as 0.00 to 1.00."""
    return f"{score / 255:.2f}"


def duration(hops: int, hello: Hello | None) -> str:
    """A time in hops as hours:minutes:seconds, once the device has said how long a hop is."""
    if hello is None:
        return f"hop {hops}"
    hundredths = hops * hello.hop * 100 // hello.sample_rate
    minutes, rest = divmod(hundredths, 6000)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 100:02}.{rest % 100:02}"


def state_name(state: int) -> str:
    """The ring's state in words."""
    return STATES[state].replace("_", " ") if state < len(STATES) else f"state {state}"


def count(number: int, thing: str) -> str:
    """A number of things, one or several."""
    return f"{number} {thing}" if number == 1 else f"{number} {thing}s"


def reasons(wake: Wake, hello: Hello | None) -> str:
    """Why the device woke."""
    newest = " ".join(fraction(value) for value in wake.newest)
    return (
        f"{wake.name}: {fraction(wake.score)} over the cutoff {fraction(wake.cutoff)} "
        f"at {duration(wake.position, hello)}, model {wake.model_sha256.hex()[:8]}, "
        f"outputs {newest}"
    )


def worse(before: Health | None, now: Health) -> Iterator[str]:
    """What has gone wrong between two health messages."""
    gaps = now.gaps - (before.gaps if before else 0)
    if gaps > 0:
        samples = now.samples_lost - (before.samples_lost if before else 0)
        yield f"{count(gaps, 'gap')} in the sound: {count(samples, 'sample')} lost"
    dropped = now.frames_dropped - (before.frames_dropped if before else 0)
    if dropped > 0:
        yield f"the device dropped {count(dropped, 'message')}: the link is too slow"
    if now.scores_every > max(1, before.scores_every if before else 1):
        yield f"the link is too slow: scores come at every {now.scores_every}th output now"


def wall_time(at: float) -> float:
    """A monotonic time as seconds since the epoch."""
    return at + (time.time() - time.monotonic())


def clock(at: float) -> str:
    """A monotonic time as the local time of day."""
    return datetime.fromtimestamp(wall_time(at)).strftime("%H:%M:%S")
