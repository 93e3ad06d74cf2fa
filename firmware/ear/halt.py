"""A device that can't listen: its light, its link and its settings, and the reason."""

from ear import ring
from ear.commands import STAY, Requests
from ear.hello import present
from ear.link import messages, telemetry

_ERROR = messages.SEVERITIES.index("error")
_WAIT_MS = 40  # a frame of the ring
_HOPS = 4  # in that time


def halt(base, state, code, text, watchdog=None):
    """Show an error and say why, the microphone off, until the host asks for something else.

    Settings can be changed meanwhile: other words may be the remedy. Returns LEAVE, or RESTART
    when the words were changed.
    """
    link = base.link
    if base.settings is None:
        base.load_settings()
    requests = Requests(link, base.settings)
    base.show(state)
    _tell(base, state, code, text)
    while requests.next == STAY:
        came = link.inbox.wait(_WAIT_MS) and requests.poll()
        if came and link.inbox.kind == messages.HELLO_REQUEST.id:
            _tell(base, state, code, text)
        try:
            if base.light.tick(_HOPS):
                base.light.write_frame()
        except OSError:
            base.show(state)  # begins anew
        link.flush_some()
        if watchdog:
            watchdog.feed()
    return requests.next


def take_leave(base, reason):
    """Say that the application leaves, and why."""
    base.show(ring.OFF)
    link = base.link
    telemetry.ring(link.out, 0, 0, ring.OFF, base.light.pixels)
    telemetry.bye(link.out, reason)
    link.flush()


def _tell(base, state, code, text):
    present(base)
    out = base.link.out
    telemetry.ring(out, 0, 0, state, base.light.pixels)
    telemetry.log(out, _ERROR, code, text)
    for note in base.notes:
        telemetry.log(out, *note)
