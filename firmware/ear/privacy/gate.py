"""The privacy gate: (state, event) -> (state, actions), pure and complete.

Sound can reach the link only between BEGIN and CLOSE, and the table below allows BEGIN only
after the ring was confirmed blue. The shell (``shell.py``) carries the actions out, in their
order, and posts what came of them as new events; it decides nothing.

Only what changes something is in the table: any other event leaves the state as it is.
"""

# Events are numbered from 0, actions from 32, states from 64, so that none can pass for another.
FIRST_ACTION = 32
FIRST_STATE = 64

# Events. The first ones double as the reason for which a recording ended.
SILENCE = 0  # the end-pointer heard the end of what was said
DEADLINE = 1  # the state lasted as long as it may (for RECORDING: the longest recording)
SWITCH_ON = 2
MUTE = 3  # the application leaves: nothing is heard after it
FALSE_MARK = 4  # the button, soon after a wake: that wake was wrong
CANCEL = 5  # the host found the wake wrong, or the policy changed
RING_FAILED = 6
MIC_FAILED = 7
WAKE_RECORD = 8  # a wake, and the policy allows to record it
WAKE_ONLY = 9  # a wake, and it doesn't
RING_BLUE = 10  # the ring was written: it is blue now
RING_IDLE = 11  # the ring was written: it shows the idle light now
SENT = 12  # the last byte of the recording is out
SWITCH_OFF = 13
BENCH_ON = 14
BENCH_OFF = 15

# Actions, carried out in the order given.
OPEN_MIC = 32  # no effect on one that is open
CLOSE_MIC = 33  # no effect on one that is closed
REPORT = 34  # tell the host about the wake: its reasons, no sound
BEGIN = 35  # a recording begins, the link is open to it
END = 36  # no more samples are taken for the recording
CLOSE = 37  # what wasn't sent is dropped, the link is closed to sound, the host is told why
DISCARD = 38  # the last wake's recording is to be deleted on both sides
SHOW_IDLE = 39
SHOW_WOKEN = 40
SHOW_BLUE = 41
SHOW_MUTED = 42
SHOW_FALSE = 43
SHOW_ERROR = 44
SHOW_BENCH = 45

# States. A muted device closes its microphone; the switch is hardware, nothing else lifts it.
MUTED = 64
LEFT = 65  # muted for good: the application has ended
LISTENING = 66
WOKEN = 67  # a wake that may not be recorded: it only shows
TURNING_BLUE = 68
RECORDING = 69
SENDING = 70  # the recording has ended, the rest of it is on its way
DONE = 71  # nothing is recorded or sent any more; the idle light is being lit
FALSE_WAKE = 72
ERROR = 73
BENCH = 74  # the host feeds the sound; the microphone is closed, nothing is recorded
STARTING = 75  # the switch hasn't been read yet: the microphone is closed

START = STARTING
START_ACTIONS = (CLOSE_MIC,)

_IDLE = (DONE, (SHOW_IDLE,))
_FAIL = (ERROR, (CLOSE_MIC, SHOW_ERROR))
_FAIL_RECORDING = (ERROR, (END, CLOSE, CLOSE_MIC, SHOW_ERROR))
_FAIL_SENDING = (ERROR, (CLOSE, CLOSE_MIC, SHOW_ERROR))
_SWITCH = (MUTED, (CLOSE_MIC, SHOW_MUTED))
_LEAVE = (LEFT, (CLOSE_MIC, SHOW_MUTED))
_MARK = (FALSE_WAKE, (DISCARD, SHOW_FALSE))

TABLE = {
    STARTING: {
        SWITCH_ON: (MUTED, (SHOW_MUTED,)),
        SWITCH_OFF: _IDLE,
        MUTE: (LEFT, (SHOW_MUTED,)),
        FALSE_MARK: (STARTING, (DISCARD,)),
    },
    MUTED: {
        MUTE: (LEFT, ()),
        SWITCH_OFF: _IDLE,
        FALSE_MARK: (MUTED, (DISCARD,)),
    },
    LEFT: {},
    LISTENING: {
        WAKE_RECORD: (TURNING_BLUE, (REPORT, SHOW_BLUE)),
        WAKE_ONLY: (WOKEN, (REPORT, SHOW_WOKEN)),
        FALSE_MARK: _MARK,
        BENCH_ON: (BENCH, (CLOSE_MIC, SHOW_BENCH)),
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
        RING_FAILED: _FAIL,
        MIC_FAILED: _FAIL,
    },
    WOKEN: {
        DEADLINE: _IDLE,
        FALSE_MARK: _MARK,
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
        RING_FAILED: _FAIL,
        MIC_FAILED: _FAIL,
    },
    TURNING_BLUE: {
        RING_BLUE: (RECORDING, (BEGIN,)),
        DEADLINE: _FAIL,
        CANCEL: _IDLE,
        FALSE_MARK: _MARK,
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
        RING_FAILED: _FAIL,
        MIC_FAILED: _FAIL,
    },
    RECORDING: {
        SILENCE: (SENDING, (END,)),
        DEADLINE: (SENDING, (END,)),
        CANCEL: (DONE, (END, CLOSE, SHOW_IDLE)),
        FALSE_MARK: (FALSE_WAKE, (END, CLOSE, DISCARD, SHOW_FALSE)),
        SWITCH_ON: (MUTED, (CLOSE_MIC, END, CLOSE, SHOW_MUTED)),
        MUTE: (LEFT, (CLOSE_MIC, END, CLOSE, SHOW_MUTED)),
        RING_FAILED: _FAIL_RECORDING,
        MIC_FAILED: _FAIL_RECORDING,
    },
    SENDING: {
        SENT: (DONE, (CLOSE, SHOW_IDLE)),
        DEADLINE: (DONE, (CLOSE, SHOW_IDLE)),
        CANCEL: (DONE, (CLOSE, SHOW_IDLE)),
        FALSE_MARK: (FALSE_WAKE, (CLOSE, DISCARD, SHOW_FALSE)),
        SWITCH_ON: (MUTED, (CLOSE_MIC, CLOSE, SHOW_MUTED)),
        MUTE: (LEFT, (CLOSE_MIC, CLOSE, SHOW_MUTED)),
        RING_FAILED: _FAIL_SENDING,
        MIC_FAILED: _FAIL_SENDING,
    },
    DONE: {
        # Only now: a microphone never opens under a light that still says "muted".
        RING_IDLE: (LISTENING, (OPEN_MIC,)),
        DEADLINE: _FAIL,
        FALSE_MARK: _MARK,
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
        RING_FAILED: _FAIL,
        MIC_FAILED: _FAIL,
    },
    FALSE_WAKE: {
        DEADLINE: _IDLE,
        FALSE_MARK: (FALSE_WAKE, (DISCARD,)),
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
        RING_FAILED: _FAIL,
        MIC_FAILED: _FAIL,
    },
    ERROR: {
        DEADLINE: _IDLE,  # tries again
        FALSE_MARK: (ERROR, (DISCARD,)),
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
    },
    BENCH: {
        WAKE_RECORD: (BENCH, (REPORT,)),
        WAKE_ONLY: (BENCH, (REPORT,)),
        BENCH_OFF: _IDLE,
        FALSE_MARK: (BENCH, (DISCARD,)),
        SWITCH_ON: _SWITCH,
        MUTE: _LEAVE,
        RING_FAILED: _FAIL,
    },
}

# How long a state may last before DEADLINE is posted, in hops of 10 ms; a state that isn't
# here lasts until something happens. RECORDING's is the owner's longest recording.
DEADLINES = {
    WOKEN: 100,
    TURNING_BLUE: 20,
    SENDING: 3000,
    DONE: 20,
    FALSE_WAKE: 100,
    ERROR: 500,
}


# What follows an event that changes nothing, for each state; made here, so that no step allocates.
_UNCHANGED = tuple((FIRST_STATE + index, ()) for index in range(len(TABLE)))


def step(state, event, table=TABLE):
    """The next state and the actions that lead to it, in their order."""
    return table[state].get(event) or _UNCHANGED[state - FIRST_STATE]


if __debug__:
    # For people, and for tests: the compiled firmware does without.
    EVENTS = (
        "silence",
        "deadline",
        "switch on",
        "mute",
        "false mark",
        "cancel",
        "ring failed",
        "microphone failed",
        "wake to record",
        "wake only",
        "ring blue",
        "ring idle",
        "sent",
        "switch off",
        "bench on",
        "bench off",
    )
    ACTIONS = (
        "open mic",
        "close mic",
        "report wake",
        "begin",
        "end",
        "close",
        "discard",
        "show idle",
        "show woken",
        "show blue",
        "show muted",
        "show false wake",
        "show error",
        "show bench",
    )
    STATES = (
        "muted",
        "left",
        "listening",
        "woken",
        "turning blue",
        "recording",
        "sending",
        "done",
        "false wake",
        "error",
        "bench",
        "starting",
    )

    def name(number):
        """What an event, an action or a state is called."""
        if number >= FIRST_STATE:
            return STATES[number - FIRST_STATE]
        return ACTIONS[number - FIRST_ACTION] if number >= FIRST_ACTION else EVENTS[number]

    def check(table):
        """Raises ValueError where a table has something else than an event, a state or an action
        in the place of one."""
        for state, row in table.items():
            for event, (after, actions) in row.items():
                fits = event < FIRST_ACTION and after in table
                if not (fits and all(FIRST_ACTION <= action < FIRST_STATE for action in actions)):
                    raise ValueError(
                        f"{name(state)}: {name(event)} can't lead to {after}, {actions}"
                    )

    check(TABLE)
