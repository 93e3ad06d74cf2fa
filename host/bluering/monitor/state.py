"""What is known about a device, from its events; how it is shown is somebody else's matter."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from bluering.link import Disconnected, Event, Garbage, Lost, Received, Reconnected, Undecodable
from bluering.link.records import Bye, Health, Hello, Log, Record, Ring, Scores, Wake, Word
from bluering.monitor.wording import count, fraction, printable, reasons, state_name, worse
from ear.link.messages import SEVERITIES

_NOTES_KEPT = 500
_HOLD_S = 3.0


@dataclass(frozen=True, slots=True)
class Note:
    """A line for a person: something happened at the monotonic time ``at``, in seconds.

    ``level`` is "wake" or one of ``SEVERITIES``.
    """

    at: float
    level: str
    text: str


@dataclass(slots=True)
class WordState:
    """A wake word and how likely it is right now; scores and cutoff are 0..255.

    ``held`` is the highest mean of the last three seconds, so that an eye can follow.
    """

    name: str
    cutoff: int = 255
    probability: int = 0
    mean: int = 0
    held: int = 0
    held_at: float = 0.0
    wakes: int = 0


@dataclass(slots=True)
class MonitorState:
    """Everything that the monitor shows. ``apply`` takes an event and returns its notes.

    port: None while unplugged; frames_lost: messages that never came; garbage: bytes that
    belonged to no message; wakes: the newest ones, oldest first.
    """

    port: str | None = None
    hello: Hello | None = None
    words: dict[int, WordState] = field(default_factory=dict)
    ring: Ring | None = None
    scores: Scores | None = None
    health: Health | None = None
    frames_lost: int = 0
    garbage: int = 0
    notes: deque[Note] = field(default_factory=lambda: deque(maxlen=_NOTES_KEPT))
    wakes: deque[Wake] = field(default_factory=lambda: deque(maxlen=_NOTES_KEPT))
    _undecodable: set[str] = field(default_factory=set)

    def apply(self, event: Event) -> list[Note]:
        """Take an event in; returns what of it is worth a line."""
        notes = [replace(note, text=printable(note.text)) for note in self._notes(event)]
        self.notes.extend(notes)
        return notes

    def word(self, index: int) -> WordState:
        """A word by its number, also before the device has presented it."""
        return self.words.setdefault(index, WordState(f"word {index}"))

    def _notes(self, event: Event) -> Iterator[Note]:
        at = event.at
        match event:
            case Received(message=message):
                yield from self._take(message, at)
            case Lost(frames=frames):
                self.frames_lost += frames
                yield Note(at, "warning", f"lost on the way: {count(frames, 'message')}")
            case Garbage(data=data, text=text):
                self.garbage += len(data)
                if text:
                    yield Note(at, "warning", f"text between messages:\n{text}")
            case Undecodable(reason=reason) if reason not in self._undecodable:
                self._undecodable.add(reason)
                yield Note(at, "error", f"a message can't be read: {reason}")
            case Disconnected(reason=reason):
                self._forget_now()
                yield Note(at, "error", f"disconnected: {reason}")
            case Reconnected(port=port):
                self.port = port
                yield Note(at, "info", f"reconnected: {port}")

    def _take(self, message: Record, at: float) -> Iterator[Note]:
        match message:
            case Hello():
                yield from self._meet(message, at)
            case Word():
                yield from self._learn(message, at)
            case Scores():
                self._score(message, at)
            case Wake():
                self.word(message.word).wakes += 1
                self.wakes.append(message)
                yield Note(at, "wake", reasons(message, self.hello))
            case Ring():
                before, self.ring = self.ring, message
                if before is None or before.state != message.state:
                    yield Note(at, "info", f"ring: {state_name(message.state)}")
            case Health():
                before, self.health = self.health, message
                for text in worse(before, message):
                    yield Note(at, "warning", text)
            case Log(severity=severity, code=code, text=text):
                known = severity < len(SEVERITIES)
                yield Note(at, SEVERITIES[severity] if known else "error", f"{text} ({code})")
            case Bye(reason=reason):
                yield Note(at, "info", f"the application has left: {reason}")

    def _forget_now(self) -> None:
        """Unplugged: nobody knows what the device hears and shows now."""
        self.port = self.ring = self.scores = None
        for word in self.words.values():
            word.probability = word.mean = word.held = 0

    def _meet(self, hello: Hello, at: float) -> Iterator[Note]:
        if self.hello and self.hello.session == hello.session:
            # The same start, maybe with other words.
            self.words = {i: word for i, word in self.words.items() if i < hello.words}
            return
        if self.hello:
            yield Note(at, "warning", "the device has restarted")
        self.hello = hello
        self.words.clear()
        self.ring = self.scores = self.health = None
        text = f"{hello.board}, firmware {hello.firmware}, {hello.runtime}"
        yield Note(at, "info", text + (f", native: {hello.kernels}" if hello.kernels else ""))

    def _learn(self, message: Word, at: float) -> Iterator[Note]:
        word = self.word(message.index)
        name = printable(message.name)
        known = word.name == name and word.cutoff == message.cutoff
        word.name = name
        word.cutoff = message.cutoff
        if not known:
            yield Note(
                at,
                "info",
                f"listens for {name}: cutoff {fraction(message.cutoff)}, "
                f"model {message.model_sha256.hex()[:8]}",
            )

    def _score(self, scores: Scores, at: float) -> None:
        self.scores = scores
        for index, (probability, mean) in enumerate(
            zip(scores.probabilities, scores.means, strict=False)
        ):
            word = self.word(index)
            word.probability = probability
            word.mean = mean
            if mean >= word.held or at - word.held_at > _HOLD_S:
                word.held = mean
                word.held_at = at
