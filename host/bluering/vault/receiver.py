"""Receives one board's recordings: verify, decrypt, store, and only then acknowledge.

What is done with a recording stands in ``receiving.py``; here a message becomes an event of that
table, and its actions are carried out.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass

from bluering.link.connection import Disconnected, Event
from bluering.link.reader import Received
from bluering.link.records import (
    FalseWake,
    Hello,
    Record,
    RecordingAck,
    RecordingCancel,
    RecordingChunk,
    RecordingEnd,
    RecordingStart,
    Wake,
)
from bluering.vault.assembly import Assembly, ForgeryError, nothing_of
from bluering.vault.early import Early, Piece
from bluering.vault.errors import ReplayError
from bluering.vault.notices import (
    UNWRITABLE,
    Heard,
    Notice,
    Stored,
    cause,
    described,
    whatever_the_vault_does,
)
from bluering.vault.receiving import Action, State, step
from bluering.vault.receiving import Event as Happened
from bluering.vault.trust import Registry, Trust
from bluering.vault.unwanted import Unwanted
from bluering.vault.vault import FALSE_WAKE, SECOND_LOOK, NewWake, Vault
from ear.audio.format import HOP
from ear.privacy import gate

_LATE_S = 1.0  # how long chunks may come after the end of their recording
_MOST_UNOPENED = 1000  # anybody can make up numbers
_STALLED_S = 10.0  # a recording of which nothing comes for so long has ended

# Ends after which nothing is kept, and what is said of it instead.
_UNWANTED = {gate.FALSE_MARK: FALSE_WAKE, gate.CANCEL: "cancelled"}

Judge = Callable[[Assembly], bool | str | None]
"""A second look at a wake: True it was one, False it wasn't, None it can't be told yet, or why it
can't be told at all."""


@dataclass(frozen=True)
class _Cause:
    """What the actions of an event are about. why: for which reason a recording is dropped."""

    now: float = 0.0
    message: RecordingStart | Piece | None = None
    why: str = ""


_NOTHING = _Cause()


class Receiver:
    """Turns one connection's events into stored recordings and notices.

    identities: device ids and their keys, 32 bytes each. judge: the second look, if any.
    """

    def __init__(
        self,
        vault: Vault,
        identities: Mapping[bytes, bytes],
        registry: Registry,
        port: str,
        judge: Judge | None = None,
    ) -> None:
        self._vault = vault
        self._trust = Trust(vault, identities, registry, port)
        self._unwanted = Unwanted(vault)
        self._judge = judge
        self._session = "unknown"
        self._state = State.IDLE
        self._assembly: Assembly | None = None  # the open recording
        self._early = Early()
        self._unopened: set[int] = set()  # numbers of this session's whose beginning is awaited
        self._marked: set[tuple[int, int]] = set()  # boot and number of what is to be deleted
        self._judged = False
        self._excuse = ""  # why there was no second look, as it was told last
        self._newest: RecordingStart | None = None  # taken or refused
        self._last: RecordingStart | None = None  # the newest that was verified
        self._whole = False  # that one came to its end with nothing missing
        self._discarded: FalseWake | None = None  # the newest mark that was followed
        self._told: int | None = None  # number of the recording whose failure was told last
        self._deadline = 0.0

    def handle(self, event: Event) -> Iterator[Notice]:
        """One event of the connection."""
        if isinstance(event, Disconnected):
            notices = self._post(Happened.GONE)
            yield from whatever_the_vault_does(notices, "the end of the connection")
            self._trust.end()
        elif isinstance(event, Received):
            what = f"a message ({event.message.declaration.name})"
            notices = self._handle_message(event.message, event.at)
            yield from whatever_the_vault_does(notices, what)

    def tick(self, now: float) -> Iterator[Notice]:
        """Time passed: a recording of which nothing comes any more is stored as it is."""
        if self._assembly is not None and now >= self._deadline:
            yield from whatever_the_vault_does(self._post(Happened.STALLED), "a recording's end")
        if self._early.is_late(now):
            yield from self._post(Happened.LATE)
        if self._unwanted.is_due(now):
            notices = self._turn_away_late(now)
            yield from whatever_the_vault_does(notices, "that a recording is unwanted")

    def _post(self, event: Happened, cause: _Cause = _NOTHING) -> Iterator[Notice]:
        """Something happened: the state that follows from it, and all that leads to it."""
        self._state, actions = step(self._state, event)
        for action in actions:
            yield from self._act(action, cause)

    def _act(self, action: Action, cause: _Cause) -> Iterator[Notice]:
        message = cause.message
        match action:
            case Action.STORE:
                yield from self._store()
            case Action.CANCEL:
                yield from self._cancel()
            case Action.DROP:
                self._drop(cause.why)
            case Action.NOTE_MISSED if isinstance(message, RecordingStart):
                yield from self._note_missed(message)
            case Action.OPEN if isinstance(message, RecordingStart):
                self._open(message)
            case Action.REPLAY:
                for piece in self._early.take():
                    yield from self._handle_message(piece, cause.now)
            case Action.HOLD if isinstance(message, Piece):
                self._hold(message, cause.now)
            case Action.LOSE:
                yield from self._lose()
            case Action.AWAIT_MORE:
                self._deadline = cause.now + _STALLED_S
            case Action.AWAIT_LATE:
                self._deadline = cause.now + _LATE_S
            case _:
                raise TypeError(f"{action} of {message}")

    def _handle_message(self, message: Record, now: float) -> Iterator[Notice]:
        match message:
            case Hello():
                yield from self._greet(message)
            case Wake():
                yield self._note_wake(message)
            case RecordingStart():
                yield from self._begin(message, now)
            case RecordingChunk():
                yield from self._add(message, now)
            case RecordingEnd():
                yield from self._end(message, now)
            case FalseWake():
                yield from self._discard(message)

    def _greet(self, hello: Hello) -> Iterator[Notice]:
        session = f"{hello.session:08x}"
        if session != self._session:
            yield from self._post(Happened.GONE)
            self._last = None
            self._unopened.clear()
            self._marked.clear()
        self._session = session

    def _note_wake(self, message: Wake) -> Notice:
        wake = NewWake(
            self._session,
            message.position * HOP,
            message.name,
            message.score,
            message.cutoff,
            message.model_sha256.hex(),
        )
        self._vault.note_wake(wake)
        text = f"heard '{wake.word}' (score {wake.score}, cutoff {wake.cutoff})"
        return Heard(text, wake=wake)

    def _begin(self, start: RecordingStart, now: float) -> Iterator[Notice]:
        if self._is_told_again(start):
            return
        self._newest = start
        problem = self._trust.problem_with(start)
        if problem:
            # Whatever is being received isn't disturbed by what can't be trusted.
            self._told = start.number
            yield self._refuse(problem, start)
            return
        held = self._early.number == start.number
        event = Happened.BEGINNING_OF_HELD if held else Happened.BEGINNING
        yield from self._post(event, _Cause(now, start))

    def _open(self, start: RecordingStart) -> None:
        self._last, self._whole = start, False
        self._judged = False
        self._assembly = Assembly(start, self._trust.take(start))

    def _is_told_again(self, start: RecordingStart) -> bool:
        """The device tells a beginning several times, but never after the end."""
        if start == self._last and self._whole:
            return start.number == self._told
        return start in (self._last, self._newest)

    def _note_missed(self, start: RecordingStart) -> Iterator[Notice]:
        """Numbers follow each other: of what can't be opened any more, that much is kept."""
        last = self._last
        if last is not None and (last.device, last.boot) == (start.device, start.boot):
            missed = list(range(last.number + 1, start.number))
        else:  # what was before this receiver isn't its business, only what it has seen a piece of
            missed = sorted(number for number in self._unopened if number < start.number)
        self._unopened.clear()
        for number in missed:
            if (start.boot, number) not in self._marked:
                yield from self._store_nothing_of(number, start)

    def _store_nothing_of(self, number: int, newer: RecordingStart) -> Iterator[Notice]:
        new = nothing_of(number, newer)
        text = (
            f"nothing of recording {number} can be opened: it was ended before any of it was "
            "sent, or it was lost on the way"
        )
        try:
            # Pieces of an old recording whose beginning was refused as a replay prove nothing.
            if self._vault.knows(new.device, new.boot, number):
                return
            stored = self._vault.store(new)
        except UNWRITABLE as error:
            yield Notice(f"{text}. That could not be written ({cause(error)})", failed=True)
        else:
            yield Stored(f"{text}; INCOMPLETE", failed=True, id=stored, recording=new)

    def _refuse(self, text: str, start: RecordingStart) -> Notice:
        answer = RecordingAck(boot=start.boot, number=start.number, stored=0)
        text = f"nothing is stored of recording {start.number}: {text}"
        return Notice(text, failed=True, answer=answer)

    def _add(self, chunk: RecordingChunk, now: float) -> Iterator[Notice]:
        assembly = self._assembly
        if assembly is None or chunk.number != assembly.start.number:
            yield from self._come_early(chunk, now)
            return
        try:
            assembly.add(chunk)
        except ForgeryError:
            yield self._forged(f"piece {chunk.sequence} of recording {chunk.number}")
            return
        rejected = yield from self._look_again(assembly)
        if rejected:
            yield from self._post(Happened.REJECTED, _Cause(now, why=SECOND_LOOK))
        else:
            event = Happened.LAST if assembly.whole else Happened.PIECE
            yield from self._post(event, _Cause(now))

    def _end(self, end: RecordingEnd, now: float) -> Iterator[Notice]:
        assembly = self._assembly
        if assembly is None or end.number != assembly.start.number:
            yield from self._come_early(end, now)
            return
        try:
            assembly.finish(end)
        except ForgeryError:
            yield self._forged(f"the end of recording {end.number}")
            return
        if end.reason in _UNWANTED:
            yield from self._post(Happened.UNWANTED, _Cause(now, why=_UNWANTED[end.reason]))
        else:
            event = Happened.LAST if assembly.whole else Happened.END
            yield from self._post(event, _Cause(now))

    def _come_early(self, piece: Piece, now: float) -> Iterator[Notice]:
        """Its beginning may come yet; what comes after a recording was dealt with is too late."""
        if self._last is not None and piece.number <= self._last.number:
            return
        other = self._early.number not in (None, piece.number)
        event = Happened.EARLY_OF_ANOTHER if other else Happened.EARLY
        yield from self._post(event, _Cause(now, piece))

    def _hold(self, piece: Piece, now: float) -> None:
        awaited = _LATE_S if isinstance(piece, RecordingEnd) else _STALLED_S
        self._early.hold(piece, now + awaited)
        if len(self._unopened) < _MOST_UNOPENED:
            self._unopened.add(piece.number)

    def _lose(self) -> Iterator[Notice]:
        """The beginning of what is held never came."""
        number = self._early.number
        self._early.take()
        if number == self._told:
            return
        self._told = number
        yield Notice(
            f"the beginning of recording {number} is missing, so it can't be opened", failed=True
        )

    def _drop(self, why: str) -> None:
        """Keep nothing of a recording but the wake that caused it, and that it is unwanted: it
        isn't taken from anybody who plays it back later."""
        assembly, self._assembly = self._assembly, None
        if assembly is not None:
            self._unwanted.add(assembly, assembly.wake(self._session), why)

    def _turn_away_late(self, now: float) -> Iterator[Notice]:
        self._unwanted.write_late(now)
        yield Notice("the vault can be written again: which recordings are unwanted is kept")

    def _forged(self, what: str) -> Notice:
        return Notice(
            f"{what} was altered on its way, or somebody forged it: it isn't used", failed=True
        )

    def _look_again(self, assembly: Assembly) -> Generator[Notice, None, bool]:
        """The second look; returns whether it found that the wake was none."""
        if self._judge is None or self._judged:
            return False
        verdict = self._judge(assembly)
        if verdict is None:
            return False
        self._judged = True
        if isinstance(verdict, str) and verdict != self._excuse:
            self._excuse = verdict
            yield Notice(verdict, failed=True)
        return not verdict

    def _cancel(self) -> Iterator[Notice]:
        """First of all the device stops sending, whether the vault can be written or not."""
        if self._assembly is not None:
            start = self._assembly.start
            yield Notice(
                f"the second look found no '{start.name}': recording {start.number} is cancelled",
                answer=RecordingCancel(number=start.number),
            )

    def _store(self) -> Iterator[Notice]:
        """Store what there is of the recording in progress."""
        assembly, self._assembly = self._assembly, None
        if assembly is None:
            return
        start = assembly.start
        new = assembly.recording(self._session)
        self._whole = assembly.whole
        try:
            stored = self._vault.store(new)
        except ReplayError as error:
            yield self._refuse(str(error), start)
        except UNWRITABLE as error:
            yield self._refuse(
                f"it could not be written ({cause(error)}). Is the disk full?",
                start,
            )
        else:
            answer = RecordingAck(boot=start.boot, number=start.number, stored=1)
            yield Stored(described(new, start.name), answer=answer, id=stored, recording=new)

    def _discard(self, message: FalseWake) -> Iterator[Notice]:
        if message == self._discarded:
            return  # told again
        try:
            self._trust.check(message)
        except ForgeryError:
            yield self._forged(f"a request of device {message.device.hex()} to delete")
            return
        self._marked.add((message.boot, message.number))
        assembly = self._assembly
        if assembly is not None and assembly.start.number == message.number:
            yield from self._post(Happened.UNWANTED, _Cause(why=FALSE_WAKE))
        device = message.device.hex()
        if not self._vault.delete_false(device, message.boot, message.number):
            self._vault.mark_false(self._session, message.position * HOP, "owner")
            # Number 0: there was no recording.
            if message.number and not self._vault.knows(device, message.boot, message.number):
                self._vault.turn_away(device, message.boot, message.number, "", None, FALSE_WAKE)
        self._discarded = message
        yield Notice("the owner marked the last wake as false: nothing but its reasons is kept")
