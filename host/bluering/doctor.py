"""Look at a device from its cable to its heap, and say what to do about what is wrong."""

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from bluering import __version__
from bluering.link import Connection, Event, Garbage, PortError, Received, control, ports
from bluering.link.ports import ESPRESSIF
from bluering.link.records import Health, Hello, Log, Ring, Scores, Telemetry, Word
from bluering.monitor.wording import count, fraction, printable, state_name
from ear import ring
from ear.audio.format import HOP_US
from ear.link.messages import SEVERITIES

Verdict = Literal["good", "doubtful", "bad", "unknown"]

WATCH_S = 4.0
_HELLO_S = 5.0
_POLL_S = 0.2
_BOOT_LOADER, _MICROPYTHON = 0x1001, 0x4001
_LEAST_HEAP = 16_384
_FAINT = 8  # of 32767: less than any microphone's own noise
_FULL_SCALE = 32767
_RULE = 'SUBSYSTEM=="tty", ATTRS{idVendor}=="303a", MODE="0660", GROUP="dialout", TAG+="uaccess"'
_RULE_FILE = "/etc/udev/rules.d/60-bluering.rules"
_ERRORS = {
    ring.ERROR_MODEL: "a model can't be used: 'bluering deploy --words alexa' writes it anew",
    ring.ERROR_MICROPHONE: "the microphone can't be switched on, or the ring can't be written: the "
    "report says which; after a start that succeeded it is tried again every 5 s",
    ring.ERROR_MEMORY: "there is too little memory: listen for fewer words",
    ring.SAFE_MODE: "three starts failed: 'bluering deploy' writes the application anew, then "
    "cut the power once",
}

# What to do about a log of the device, by its code.
_LOGS = {
    "memory": "Python's heap ran out, the figures are its bytes: listen for fewer words, switch "
    "pre_roll off, or take a stock image that uses the board's PSRAM",
    "ring": "nothing is heard without a light: check the ring's pin in the board's file and its "
    "power; it is tried again every 5 s",
    "model": "'bluering deploy --words alexa' writes the models anew",
    "crash": "the last run ended so; after three in a row the device stays in safe mode",
    "watchdog": "the last run stood still for 8 s; after three in a row comes safe mode",
    "native": "it listens all the same, only slower: 'bluering deploy' writes the kernels anew",
    "safe_mode": "settings and 'bluering repl' work: 'bluering deploy' writes the application "
    "anew, then cut the power once",
}
_NO_MEMORY = "ESP_ERR_NO_MEM"
_NO_DMA = (
    "the chip's own memory, where the microphone's buffers lie, ran out: listen for fewer words, "
    "or make microphone.ibuf in the board's file smaller"
)
_PINS = "check the microphone's pins in the board's file, and its power"


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what was found, and what to do unless it is good."""

    what: str
    verdict: Verdict
    found: str
    advice: str = ""


@dataclass
class Seen:
    """What the device said while it was watched."""

    hello: Hello | None = None
    words: dict[int, Word] = field(default_factory=dict)
    ring: Ring | None = None
    health: Health | None = None
    peaks: list[int] = field(default_factory=list)
    errors: list[tuple[str, str]] = field(default_factory=list)  # codes and texts of its logs
    text: str = ""

    def take(self, event: Event) -> None:
        """Keep what an event says."""
        match event:
            case Received(message=Hello() as hello):
                self.hello = hello
            case Received(message=Word() as word):
                self.words[word.index] = word
            case Received(message=Ring() as shown):
                self.ring = shown
            case Received(message=Health() as health):
                self.health = health
            case Received(message=Scores(peak=peak)):
                self.peaks.append(peak)
            case Received(message=Log(severity=severity, code=code, text=text)):
                said = code, printable(text)
                worth = severity < len(SEVERITIES) and SEVERITIES[severity] != "info"
                if worth and said not in self.errors:  # an error is told at each hello
                    self.errors.append(said)
            case Garbage(text=text) if text:
                self.text = (self.text + text)[-1000:]


def examine(selector: str) -> Iterator[Finding]:
    """Look at one thing after the other, as far as what was found allows."""
    try:
        path = ports.resolve(selector)
    except PortError as error:
        yield Finding("cable", "bad", str(error), _NO_PORT)
        return
    yield from _cable(path)
    yield from _permission(path)
    try:
        connection = Connection(path)
    except PortError as error:
        yield Finding("port", "bad", str(error), error.hint)
        return
    with connection:
        yield Finding("port", "good", f"{path} is open")
        seen = _watch(connection)
    yield from judge(seen)


_NO_PORT = (
    "Take a cable that carries data, not only power. Boards with a USB bridge chip need its "
    "driver: CP210x, CH34x and native USB are in every Linux kernel; 'sudo dmesg' shows what "
    "happens at plugging in"
)


def _cable(path: str) -> Iterator[Finding]:
    """The USB device behind a path, if it is one."""
    port = next((port for port in ports.find() if port.device == path), None)
    if port is None or port.vid is None:
        yield Finding("cable", "unknown", f"{path} is no USB port of this computer")
        return
    identity = f"{port.vid:04x}:{port.pid or 0:04x} {port.description}"
    yield Finding("cable", "good", identity)
    if (port.vid, port.pid) == (ESPRESSIF, _BOOT_LOADER):
        yield Finding(
            "boot mode",
            "bad",
            "the chip is in its boot loader",
            "press RESET; if it comes back here, it has no application: 'bluering flash'",
        )
    elif (port.vid, port.pid) == (ESPRESSIF, _MICROPYTHON):
        yield Finding("boot mode", "good", "MicroPython runs")
    else:
        yield Finding("boot mode", "unknown", "a USB bridge chip doesn't tell")


def _permission(path: str) -> Iterator[Finding]:
    if "://" in path or not Path(path).exists():
        return
    if os.access(path, os.R_OK | os.W_OK):
        yield Finding("permission", "good", f"{path} may be read and written")
        return
    yield Finding(
        "permission",
        "bad",
        f"{path} may not be opened",
        "sudo usermod -aG dialout $USER, then log out and in again; or write this line into "
        f"{_RULE_FILE} and plug the board in anew:\n    {_RULE}",
    )


def _watch(connection: Connection) -> Seen:
    """Listen for a hello, then for what a device says in a few seconds."""
    seen = Seen()
    end = time.monotonic() + _HELLO_S
    asked = False
    while time.monotonic() < end:
        for event in connection.poll(_POLL_S):
            seen.take(event)
        if seen.hello and not asked:
            asked = True
            control.tell_time(connection)
            connection.send(Telemetry(scores_every=1, health_every=100))
            end = time.monotonic() + WATCH_S
    return seen


def judge(seen: Seen) -> Iterator[Finding]:
    """What follows from what a device said."""
    if seen.hello is None:
        yield _silence(seen)
        return
    yield _image(seen.hello)
    yield _words(seen)
    yield _light(seen)
    for code, text in seen.errors:
        yield Finding("report", "doubtful", text, _about(code, text))
    yield _microphone(seen)
    yield from _clock(seen.health)


def _silence(seen: Seen) -> Finding:
    if ">>>" in seen.text:
        advice = "press RESET, or 'bluering repl' and Ctrl-]; 'bluering deploy' writes it anew"
        return Finding("application", "bad", "MicroPython's prompt, and no application", advice)
    printed = f"only text: {printable(seen.text[-200:])!r}" if seen.text else "nothing is said"
    return Finding("application", "bad", printed, "press RESET; 'bluering flash' makes it anew")


def _image(hello: Hello) -> Finding:
    found = f"{hello.board}, firmware {hello.firmware}, {hello.runtime}"
    if hello.firmware == __version__:
        return Finding("application", "good", found)
    return Finding(
        "application",
        "doubtful",
        f"{found}; this program is {__version__}",
        "'bluering deploy' brings the device up to date",
    )


def _words(seen: Seen) -> Finding:
    names = ", ".join(
        f"{printable(word.name)} (cutoff {fraction(word.cutoff)})" for word in seen.words.values()
    )
    if names:
        return Finding("words", "good", names)
    return Finding("words", "bad", "it listens for nothing", "see what the ring shows")


def _light(seen: Seen) -> Finding:
    if seen.ring is None:
        return Finding("ring", "unknown", "the device didn't tell", "press RESET")
    state = state_name(seen.ring.state)
    leds = len(seen.ring.colours) // 3
    if seen.ring.state in _ERRORS:
        return Finding("ring", "bad", state, _ERRORS[seen.ring.state])
    if not leds:
        advice = "without a light nothing is ever recorded; wire a ring, see the board's file"
        return Finding("ring", "doubtful", f"{state}; the board has no light", advice)
    return Finding("ring", "good", f"{state}, {count(leds, 'LED')}; look whether it is so")


def _about(code: str, text: str) -> str:
    """What to do about a log of the device."""
    if code == "microphone":
        return _NO_DMA if _NO_MEMORY in text or "allocat" in text else _PINS
    return _LOGS.get(code, "the device told this by itself")


def _microphone(seen: Seen) -> Finding:
    if seen.ring and seen.ring.state in (ring.MUTED, ring.BENCH):
        state = state_name(seen.ring.state)
        advice = "lift the mute switch, or end the program that plays by wire"
        return Finding("microphone", "unknown", f"it is off: the ring shows {state!r}", advice)
    if not seen.peaks:
        return Finding("microphone", "bad", "no sound comes", "check its clock pins and power")
    highest = max(seen.peaks)
    found = f"peaks of {min(seen.peaks)} to {highest} of {_FULL_SCALE}"
    if highest < _FAINT:
        advice = "check the data pin, and that L/R is tied low: the left slot is read"
        return Finding("microphone", "bad", f"silence: {found}", advice)
    if min(seen.peaks) >= _FULL_SCALE:
        advice = "raise microphone.shift in the board's file by one or two"
        return Finding("microphone", "bad", f"always at its limit: {found}", advice)
    return Finding("microphone", "good", found)


def _clock(health: Health | None) -> Iterator[Finding]:
    if health is None:
        yield Finding("clock", "unknown", "the device didn't tell", "try again")
        return
    slowest = f"the slowest hop took {health.slowest_us / 1000:.1f} of 10 ms"
    if health.gaps:
        found = f"{count(health.gaps, 'gap')}, {count(health.samples_lost, 'sample')} lost"
        advice = "listen for fewer words, or raise microphone.ibuf in the board's file"
        yield Finding("clock", "doubtful", f"{found} since the start; {slowest}", advice)
    elif health.slowest_us > HOP_US:
        yield Finding("clock", "doubtful", slowest, "listen for fewer words")
    else:
        yield Finding("clock", "good", f"no gaps; {slowest}")
    if health.frames_dropped or health.scores_every > 1:
        found = f"{count(health.frames_dropped, 'message')} dropped since the start, scores come "
        advice = "the link is slow: nothing is wrong with what is heard"
        yield Finding("link", "doubtful", f"{found}at every {health.scores_every}. output", advice)
    free = f"{health.free_heap} bytes free"
    low = health.free_heap < _LEAST_HEAP
    advice = "listen for fewer words" if low else ""
    yield Finding("heap", "doubtful" if low else "good", free, advice)
