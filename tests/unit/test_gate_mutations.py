"""Faults made by hand in the gate's table: the exploration must find every one of them, and say
what each breaks."""

from collections.abc import Callable
from copy import deepcopy

import pytest

from ear.privacy import gate
from tests.unit import gate_world
from tests.unit.gate_world import Table

Fault = Callable[[Table], None]


def _row(state: int, event: int, after: int, *actions: int) -> Fault:
    def change(table: Table) -> None:
        table[state][event] = (after, actions)

    return change


def _forget(state: int, event: int) -> Fault:
    def change(table: Table) -> None:
        del table[state][event]

    return change


def _copy(state: int, event: int, from_state: int, from_event: int) -> Fault:
    def change(table: Table) -> None:
        table[state][event] = table[from_state][from_event]

    return change


G = gate
FAULTS: dict[str, tuple[Fault, str]] = {
    "records before the ring is blue": (
        _row(G.LISTENING, G.WAKE_RECORD, G.RECORDING, G.REPORT, G.SHOW_BLUE, G.BEGIN),
        "samples were taken for a recording while the ring wasn't blue",
    ),
    "begins, then asks for blue": (
        _row(G.LISTENING, G.WAKE_RECORD, G.TURNING_BLUE, G.REPORT, G.BEGIN, G.SHOW_BLUE),
        "sound could leave while the ring wasn't blue",
    ),
    "takes the idle light for blue": (
        _copy(G.TURNING_BLUE, G.RING_IDLE, G.TURNING_BLUE, G.RING_BLUE),
        "sound could leave while the ring wasn't blue",
    ),
    "records although the ring failed": (
        _row(G.TURNING_BLUE, G.RING_FAILED, G.RECORDING, G.BEGIN),
        "sound could leave while the ring wasn't blue",
    ),
    "waits for ever for a ring that says nothing": (
        _forget(G.TURNING_BLUE, G.DEADLINE),
        "state 'turning blue' ignores its deadline",
    ),
    "records a wake that may not be": (
        _copy(G.LISTENING, G.WAKE_ONLY, G.LISTENING, G.WAKE_RECORD),
        "a wake that may not be recorded turned the ring blue",
    ),
    "says nothing of a wake": (
        _row(G.LISTENING, G.WAKE_RECORD, G.TURNING_BLUE, G.SHOW_BLUE),
        "a wake that was heard wasn't reported, or one that wasn't was",
    ),
    "turns blue without a recording": (
        _row(G.LISTENING, G.WAKE_ONLY, G.WOKEN, G.REPORT, G.SHOW_BLUE),
        "blue outside a recording",
    ),
    "goes on recording without a ring": (
        _forget(G.RECORDING, G.RING_FAILED),
        "a dead ring went unnoticed",
    ),
    "goes on sending without a ring": (
        _forget(G.SENDING, G.RING_FAILED),
        "a dead ring went unnoticed",
    ),
    "ring fails, the recording stays open": (
        _row(G.RECORDING, G.RING_FAILED, G.ERROR, G.CLOSE_MIC, G.SHOW_ERROR),
        "samples are taken in another state than recording",
    ),
    "ring fails, the link stays open": (
        _row(G.RECORDING, G.RING_FAILED, G.ERROR, G.END, G.CLOSE_MIC, G.SHOW_ERROR),
        "the link's openness doesn't follow the state",
    ),
    "leaves blue before the link is closed": (
        _row(G.SENDING, G.SENT, G.DONE, G.SHOW_IDLE, G.CLOSE),
        "sound could leave while the ring wasn't blue",
    ),
    "leaves blue while it sends": (
        _row(G.RECORDING, G.SILENCE, G.SENDING, G.END, G.SHOW_IDLE),
        "sound could leave while the ring wasn't blue",
    ),
    "stays blue when all is sent": (
        _row(G.SENDING, G.SENT, G.DONE, G.CLOSE),
        "blue outside a recording",
    ),
    "silence ends nothing": (
        _row(G.RECORDING, G.SILENCE, G.SENDING),
        "samples are taken in another state than recording",
    ),
    "takes a pause of the link for the end": (
        _row(G.RECORDING, G.SENT, G.DONE, G.CLOSE, G.SHOW_IDLE),
        "the link was closed under a running recording",
    ),
    "records for ever": (_forget(G.RECORDING, G.DEADLINE), "a recording that time doesn't end"),
    "sends for ever": (_forget(G.SENDING, G.DEADLINE), "a recording that time doesn't end"),
    "a stall starts the deadline anew": (
        _copy(G.SENDING, G.DEADLINE, G.TURNING_BLUE, G.RING_BLUE),
        "a recording that time doesn't end",
    ),
    "the switch doesn't stop a recording": (
        _forget(G.RECORDING, G.SWITCH_ON),
        "muted, but the microphone is read or a recording goes on",
    ),
    "the switch doesn't stop the sending": (
        _forget(G.SENDING, G.SWITCH_ON),
        "muted, but the microphone is read or a recording goes on",
    ),
    "the switch is only a light": (
        _row(G.RECORDING, G.SWITCH_ON, G.MUTED, G.END, G.CLOSE, G.SHOW_MUTED),
        "muted, but the microphone is read or a recording goes on",
    ),
    "shows mute before it is true": (
        _row(G.LISTENING, G.SWITCH_ON, G.MUTED, G.SHOW_MUTED, G.CLOSE_MIC),
        "the microphone was open under the light of mute",
    ),
    "leaving keeps the link open": (
        _row(G.RECORDING, G.MUTE, G.LEFT, G.CLOSE_MIC, G.END, G.SHOW_MUTED),
        "the link's openness doesn't follow the state",
    ),
    "the host lifts the switch": (
        _copy(G.MUTED, G.BENCH_ON, G.LISTENING, G.BENCH_ON),
        "the state doesn't follow the mute switch",
    ),
    "the switch brings back what has left": (
        _copy(G.LEFT, G.SWITCH_OFF, G.MUTED, G.SWITCH_OFF),
        "the state doesn't follow the application's end",
    ),
    "forgets to leave under the switch": (
        _forget(G.MUTED, G.MUTE),
        "the state doesn't follow the application's end",
    ),
    "leaves under the idle light": (
        _row(G.DONE, G.MUTE, G.LEFT, G.CLOSE_MIC),
        "the light in state 'left' is 'idle'",
    ),
    "acts after it has left": (
        _row(G.LEFT, G.FALSE_MARK, G.LEFT, G.DISCARD),
        "something was done after the application had ended",
    ),
    "opens the microphone under the red light": (
        _row(G.MUTED, G.SWITCH_OFF, G.DONE, G.OPEN_MIC, G.SHOW_IDLE),
        "the microphone was open under the light of mute",
    ),
    "listens before the light is lit": (
        _row(G.MUTED, G.SWITCH_OFF, G.LISTENING, G.SHOW_IDLE, G.OPEN_MIC),
        "listening without a microphone or without its light",
    ),
    "never listens again": (_forget(G.DONE, G.RING_IDLE), "no way back from 'done'"),
    "listens without a microphone": (
        _row(G.DONE, G.RING_IDLE, G.LISTENING),
        "listening without a microphone or without its light",
    ),
    "a false mark keeps the recording": (
        _row(G.RECORDING, G.FALSE_MARK, G.FALSE_WAKE, G.END, G.CLOSE, G.SHOW_FALSE),
        "a false mark deletes nothing",
    ),
    "a false mark goes on sending": (
        _row(G.SENDING, G.FALSE_MARK, G.FALSE_WAKE, G.DISCARD, G.SHOW_FALSE),
        "the link's openness doesn't follow the state",
    ),
    "a false mark after the recording is lost": (
        _forget(G.LISTENING, G.FALSE_MARK),
        "a false mark deletes nothing",
    ),
    "a false mark is lost when muted": (
        _forget(G.MUTED, G.FALSE_MARK),
        "a false mark deletes nothing",
    ),
    "a cancelled recording is still sent": (
        _row(G.RECORDING, G.CANCEL, G.SENDING, G.END),
        "a cancelled recording went on",
    ),
    "deletes what wasn't marked": (
        _row(G.RECORDING, G.CANCEL, G.DONE, G.END, G.CLOSE, G.DISCARD, G.SHOW_IDLE),
        "a recording was deleted without a false mark",
    ),
    "a dead microphone keeps the link open": (
        _row(G.RECORDING, G.MIC_FAILED, G.ERROR, G.END, G.CLOSE_MIC, G.SHOW_ERROR),
        "the link's openness doesn't follow the state",
    ),
    "error keeps listening": (
        _row(G.LISTENING, G.MIC_FAILED, G.ERROR, G.SHOW_ERROR),
        "the microphone is read in error or bench mode",
    ),
    "error for ever": (_forget(G.ERROR, G.DEADLINE), "state 'error' ignores its deadline"),
    "the switch does nothing in error": (
        _forget(G.ERROR, G.SWITCH_ON),
        "the state doesn't follow the mute switch",
    ),
    "bench keeps the microphone": (
        _row(G.LISTENING, G.BENCH_ON, G.BENCH, G.SHOW_BENCH),
        "the microphone is read in error or bench mode",
    ),
    "bench records": (
        _copy(G.BENCH, G.WAKE_RECORD, G.LISTENING, G.WAKE_RECORD),
        "a recording runs without a microphone",
    ),
    "the switch does nothing in bench": (
        _forget(G.BENCH, G.SWITCH_ON),
        "the state doesn't follow the mute switch",
    ),
    "bench for ever": (_forget(G.BENCH, G.BENCH_OFF), "the bench can't be left"),
    "the woken light for ever": (
        _forget(G.WOKEN, G.DEADLINE),
        "state 'woken' ignores its deadline",
    ),
    "a second wake begins inside a recording": (
        _row(G.RECORDING, G.WAKE_RECORD, G.RECORDING, G.BEGIN),
        "a recording began inside another",
    ),
    "closes twice": (
        _row(G.SENDING, G.SENT, G.DONE, G.CLOSE, G.CLOSE, G.SHOW_IDLE),
        "the link was closed twice",
    ),
    "blue is shown for muted": (
        _row(G.LISTENING, G.MUTE, G.LEFT, G.CLOSE_MIC, G.SHOW_BLUE),
        "blue outside a recording",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_found_for_what_it_is(name: str):
    fault, violation = FAULTS[name]
    table = deepcopy(gate.TABLE)
    fault(table)
    assert table != gate.TABLE, "the fault changes nothing"
    gate.check(table)  # a slip in the fault itself would be found for another reason
    assert violation in gate_world.explore(table).violations


def _unseen(change: Callable[[Table, int, int], None]) -> set[tuple[str, str]]:
    """The rows for which the exploration doesn't notice a change."""
    unseen = set()
    for state, row in gate.TABLE.items():
        for event in row:
            table = deepcopy(gate.TABLE)
            change(table, state, event)
            if table != gate.TABLE and not gate_world.explore(table).violations:
                unseen.add((gate.name(state), gate.name(event)))
    return unseen


def test_every_forgotten_row_is_found():
    def forget(table: Table, state: int, event: int) -> None:
        del table[state][event]

    assert _unseen(forget) == set()


@pytest.mark.parametrize("place", range(4))
def test_every_dropped_action_is_found(place: int):
    def drop(table: Table, state: int, event: int) -> None:
        after, actions = table[state][event]
        table[state][event] = (after, actions[:place] + actions[place + 1 :])

    # In error and bench the microphone is closed already; closing it again is the safe habit.
    harmless = {("error", "switch on"), ("error", "mute")}
    harmless |= {("bench", "switch on"), ("bench", "mute"), ("bench", "ring failed")}
    assert _unseen(drop) == (harmless if place == 0 else set())


@pytest.mark.parametrize("wrong", gate.TABLE, ids=gate.name)
def test_every_wrong_turn_is_found(wrong: int):
    def turn(table: Table, state: int, event: int) -> None:
        table[state][event] = (wrong, table[state][event][1])

    assert _unseen(turn) == set()
