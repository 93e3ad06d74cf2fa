"""The gate, explored exhaustively: every reachable state times every event."""

from ear.privacy import gate
from tests.unit import gate_world


def test_names_match_ids():
    assert gate.STATES[gate.BENCH] == "bench"
    assert gate.EVENTS[gate.BENCH_OFF] == "bench off"
    assert gate.ACTIONS[gate.SHOW_BENCH] == "show bench"
    assert set(gate.TABLE) == set(range(len(gate.STATES)))
    assert all(event < len(gate.EVENTS) for row in gate.TABLE.values() for event in row)


def test_every_reachable_state_times_every_event_keeps_the_promises():
    found = gate_world.explore()
    print(f"{len(found.nodes)} states of gate and world, {found.transitions} transitions")
    assert found.violations == set()
    assert found.transitions == len(found.nodes) * len(gate.EVENTS)


def test_a_plain_recording():
    state, trace = gate.LISTENING, []
    for event in (gate.WAKE_RECORD, gate.RING_BLUE, gate.SILENCE, gate.SENT, gate.RING_IDLE):
        state, actions = gate.step(state, event)
        trace.append((gate.STATES[state], [gate.ACTIONS[action] for action in actions]))
    assert trace == [
        ("turning blue", ["report wake", "show blue"]),
        ("recording", ["begin"]),
        ("sending", ["end"]),
        ("done", ["close", "show idle"]),
        ("listening", ["open mic"]),
    ]


def test_software_cannot_lift_the_switch():
    state, _ = gate.step(gate.RECORDING, gate.SWITCH_ON)
    for event in (gate.UNMUTE, gate.MUTE, gate.UNMUTE, gate.BENCH_ON, gate.WAKE_RECORD):
        state, actions = gate.step(state, event)
        assert state in (gate.MUTED_SWITCH, gate.MUTED_BOTH)
        assert gate.OPEN_MIC not in actions
