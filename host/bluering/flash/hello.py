"""Wait for a device that has just started to say what it runs."""

import time
from collections.abc import Iterator

from bluering.flash.errors import FlashError
from bluering.link.connection import Connection, Event
from bluering.link.ports import PortError
from bluering.link.reader import Garbage, Received
from bluering.link.records import Hello, Word

TIMEOUT_S = 30.0  # a first start takes seconds, and USB comes after it
_RETRY_S = 0.25
_SHOWN_LINES = 4


def wait(selector: str, timeout: float = TIMEOUT_S) -> tuple[Hello, list[Word]]:
    """The hello of the device behind a port selector, and the words it listens for.

    Raises FlashError when none comes in ``timeout`` seconds, with what the device printed.
    """
    hello, words, printed = None, {}, ""
    for event in _events(selector, time.monotonic() + timeout):
        if isinstance(event, Garbage):
            printed = (printed + (event.text or "") + "\n")[-2000:]
        elif isinstance(event, Received):
            if isinstance(event.message, Hello):
                hello, words = event.message, {}
            elif isinstance(event.message, Word):
                words[event.message.index] = event.message
        if hello and len(words) >= hello.words:
            return hello, [words[index] for index in sorted(words)]
    if hello:
        raise FlashError(
            f"the device said hello but told {len(words)} of its {hello.words} words: unplug it, "
            "plug it in again, and see what 'bluering monitor' shows"
        )
    raise FlashError(_silent(selector, printed))


def _events(selector: str, end: float) -> Iterator[Event]:
    """What comes over the link until ``end``; the port may not be there yet."""
    while time.monotonic() < end:
        try:
            connection = Connection(selector)
        except PortError:
            time.sleep(_RETRY_S)  # native USB comes back as another port
            continue
        with connection:
            yield from connection.events(end - time.monotonic())


def _silent(selector: str, printed: str) -> str:
    lines = printed.strip().splitlines()[-_SHOWN_LINES:]
    if lines:
        shown = "".join(f"\n  {line}" for line in lines)
        return f"the device is written and verified, but says no hello. It printed:{shown}"
    return (
        f"the device is written and verified, but nothing comes from {selector}: press RESET; if "
        "it stays silent, unplug it and plug it in again"
    )
