"""The gate, explored exhaustively: every reachable state times every event."""

import pytest

from ear.privacy import gate
from tests.unit import gate_world


def test_names_match_numbers():
    assert gate.name(gate.SILENCE) == "silence"
    assert gate.name(gate.BENCH_OFF) == gate.EVENTS[-1] == "bench off"
    assert gate.name(gate.OPEN_MIC) == "open mic"
    assert gate.name(gate.SHOW_BENCH) == gate.ACTIONS[-1] == "show bench"
    assert gate.name(gate.MUTED) == "muted"
    assert gate.name(gate.STARTING) == gate.STATES[-1] == "starting"
    assert len(gate.TABLE) == len(gate.STATES)


def test_nothing_passes_for_anything_else():
    events = set(range(len(gate.EVENTS)))
    actions = {gate.FIRST_ACTION + index for index in range(len(gate.ACTIONS))}
    assert not events & actions
    assert not (events | actions) & set(gate.TABLE)
    wrong = [
        {gate.OPEN_MIC: (gate.LISTENING, ())},
        {gate.CANCEL: (gate.SENT, ())},
        {gate.CANCEL: (gate.SENDING, (gate.CANCEL,))},
        {gate.CANCEL: (gate.SENDING, (gate.END, gate.DONE))},
    ]
    gate.check(gate.TABLE)
    for row in wrong:
        with pytest.raises(ValueError, match="recording: "):
            gate.check(gate.TABLE | {gate.RECORDING: row})


def test_every_reachable_state_times_every_event_keeps_the_promises():
    found = gate_world.explore()
    print(f"{len(found.nodes)} states of gate and world, {found.transitions} transitions")
    assert found.violations == set()
    assert found.transitions == len(found.nodes) * len(gate.EVENTS)


def test_a_plain_recording():
    state, trace = gate.LISTENING, []
    for event in (gate.WAKE_RECORD, gate.RING_BLUE, gate.SILENCE, gate.SENT, gate.RING_IDLE):
        state, actions = gate.step(state, event)
        trace.append((gate.name(state), [gate.name(action) for action in actions]))
    assert trace == [
        ("turning blue", ["report wake", "show blue"]),
        ("recording", ["begin"]),
        ("sending", ["end"]),
        ("done", ["close", "show idle"]),
        ("listening", ["open mic"]),
    ]


def test_only_the_switch_lifts_the_switch():
    state, _ = gate.step(gate.RECORDING, gate.SWITCH_ON)
    for event in (gate.BENCH_ON, gate.WAKE_RECORD, gate.BENCH_OFF, gate.RING_IDLE, gate.DEADLINE):
        state, actions = gate.step(state, event)
        assert state == gate.MUTED
        assert gate.OPEN_MIC not in actions


def test_what_has_left_does_nothing_any_more():
    state, actions = gate.step(gate.RECORDING, gate.MUTE)
    assert gate.CLOSE_MIC in actions
    for event in range(len(gate.EVENTS)):
        assert gate.step(state, event) == (gate.LEFT, ())
