"""What a receiver does with a recording's messages: (state, event) -> (state, actions), pure.

A recording is open from its verified beginning until it is stored or dropped, one at a time.
Beside it, pieces of one whose beginning hasn't come may be held. ``receiver.py`` says which event a
message is, once its tag was checked, and carries the actions out in their order.

Only what changes something is in the table: any other event leaves the state as it is.
"""

from collections.abc import Mapping
from enum import Enum


class State(Enum):
    """Whether a recording is open, whether its end came, whether pieces of another are held."""

    IDLE = "idle"
    IDLE_HOLDING = "idle, holding"
    OPEN = "open"
    OPEN_HOLDING = "open, holding"
    ENDED = "ended"  # pieces are missing that may still come
    ENDED_HOLDING = "ended, holding"


class Event(Enum):
    """What came, or that nothing came for long enough."""

    BEGINNING = "a beginning"  # verified, and not told before
    BEGINNING_OF_HELD = "the beginning of what is held"
    PIECE = "a piece"  # of the open recording, as all down to UNWANTED
    END = "the end"  # pieces before it are missing
    LAST = "the last that was missing"  # a piece or the end
    REJECTED = "rejected by the second look"
    UNWANTED = "unwanted"  # by its end, or by the owner's mark
    EARLY = "an early piece"  # of a recording that hasn't begun; what is held is of the same
    EARLY_OF_ANOTHER = "an early piece of another"  # than what is held
    STALLED = "stalled"  # nothing of the open recording came for as long as is waited
    LATE = "late"  # the beginning of what is held didn't come for as long as is waited
    GONE = "gone"  # the connection or the device's session ended


class Action(Enum):
    """Carried out in the order given."""

    STORE = "store"  # what there is of the open recording; it is open no more
    CANCEL = "cancel"  # the device is told to send no more of it
    DROP = "drop"  # nothing of the open recording is kept but its wake; it is open no more
    NOTE_MISSED = "note missed"  # recordings between the one before and this of which nothing came
    OPEN = "open"
    REPLAY = "replay"  # what was held is dealt with as if it came now, and held no more
    HOLD = "hold"
    LOSE = "lose"  # what is held can't be opened: the user is told
    AWAIT_MORE = "await more"  # of a recording under way
    AWAIT_LATE = "await late"  # pieces that come after their recording's end


_S, _E, _A = State, Event, Action

Answer = tuple[State, tuple[Action, ...]]
Table = Mapping[State, Mapping[Event, Answer]]

TABLE: Table = {
    _S.IDLE: {
        _E.BEGINNING: (_S.OPEN, (_A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE)),
        _E.EARLY: (_S.IDLE_HOLDING, (_A.HOLD,)),
    },
    _S.IDLE_HOLDING: {
        _E.BEGINNING: (_S.OPEN, (_A.LOSE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE)),
        _E.BEGINNING_OF_HELD: (_S.OPEN, (_A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE, _A.REPLAY)),
        _E.EARLY: (_S.IDLE_HOLDING, (_A.HOLD,)),
        _E.EARLY_OF_ANOTHER: (_S.IDLE_HOLDING, (_A.LOSE, _A.HOLD)),
        _E.LATE: (_S.IDLE, (_A.LOSE,)),
        _E.GONE: (_S.IDLE, (_A.LOSE,)),
    },
    _S.OPEN: {
        _E.BEGINNING: (_S.OPEN, (_A.STORE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE)),
        _E.PIECE: (_S.OPEN, (_A.AWAIT_MORE,)),
        _E.END: (_S.ENDED, (_A.AWAIT_LATE,)),
        _E.LAST: (_S.IDLE, (_A.STORE,)),
        _E.REJECTED: (_S.IDLE, (_A.CANCEL, _A.DROP)),
        _E.UNWANTED: (_S.IDLE, (_A.DROP,)),
        _E.EARLY: (_S.OPEN_HOLDING, (_A.HOLD,)),
        _E.STALLED: (_S.IDLE, (_A.STORE,)),
        _E.GONE: (_S.IDLE, (_A.STORE,)),
    },
    _S.OPEN_HOLDING: {
        _E.BEGINNING: (_S.OPEN, (_A.STORE, _A.LOSE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE)),
        _E.BEGINNING_OF_HELD: (
            _S.OPEN,
            (_A.STORE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE, _A.REPLAY),
        ),
        _E.PIECE: (_S.OPEN_HOLDING, (_A.AWAIT_MORE,)),
        _E.END: (_S.ENDED_HOLDING, (_A.AWAIT_LATE,)),
        _E.LAST: (_S.IDLE_HOLDING, (_A.STORE,)),
        _E.REJECTED: (_S.IDLE_HOLDING, (_A.CANCEL, _A.DROP)),
        _E.UNWANTED: (_S.IDLE_HOLDING, (_A.DROP,)),
        _E.EARLY: (_S.OPEN_HOLDING, (_A.HOLD,)),
        _E.EARLY_OF_ANOTHER: (_S.OPEN_HOLDING, (_A.LOSE, _A.HOLD)),
        _E.STALLED: (_S.IDLE_HOLDING, (_A.STORE,)),
        _E.LATE: (_S.OPEN, (_A.LOSE,)),
        _E.GONE: (_S.IDLE, (_A.STORE, _A.LOSE)),
    },
    _S.ENDED: {
        _E.BEGINNING: (_S.OPEN, (_A.STORE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE)),
        _E.END: (_S.ENDED, (_A.AWAIT_LATE,)),  # told again
        _E.LAST: (_S.IDLE, (_A.STORE,)),
        _E.REJECTED: (_S.IDLE, (_A.CANCEL, _A.DROP)),
        _E.UNWANTED: (_S.IDLE, (_A.DROP,)),
        _E.EARLY: (_S.ENDED_HOLDING, (_A.HOLD,)),
        _E.STALLED: (_S.IDLE, (_A.STORE,)),
        _E.GONE: (_S.IDLE, (_A.STORE,)),
    },
    _S.ENDED_HOLDING: {
        _E.BEGINNING: (_S.OPEN, (_A.STORE, _A.LOSE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE)),
        _E.BEGINNING_OF_HELD: (
            _S.OPEN,
            (_A.STORE, _A.NOTE_MISSED, _A.OPEN, _A.AWAIT_MORE, _A.REPLAY),
        ),
        _E.END: (_S.ENDED_HOLDING, (_A.AWAIT_LATE,)),
        _E.LAST: (_S.IDLE_HOLDING, (_A.STORE,)),
        _E.REJECTED: (_S.IDLE_HOLDING, (_A.CANCEL, _A.DROP)),
        _E.UNWANTED: (_S.IDLE_HOLDING, (_A.DROP,)),
        _E.EARLY: (_S.ENDED_HOLDING, (_A.HOLD,)),
        _E.EARLY_OF_ANOTHER: (_S.ENDED_HOLDING, (_A.LOSE, _A.HOLD)),
        _E.STALLED: (_S.IDLE_HOLDING, (_A.STORE,)),
        _E.LATE: (_S.ENDED, (_A.LOSE,)),
        _E.GONE: (_S.IDLE, (_A.STORE, _A.LOSE)),
    },
}


def step(state: State, event: Event, table: Table = TABLE) -> Answer:
    """The next state and the actions that lead to it, in their order."""
    return table[state].get(event, (state, ()))
