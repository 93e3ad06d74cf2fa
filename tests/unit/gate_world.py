"""What the privacy gate must make true, checked on a small model of the world around it.

The world is told nothing of the gate's table: it follows the actions, one by one, as ring,
microphone, recorder and link would, and every invariant is checked after each of them.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import NamedTuple

from ear.privacy import gate

Table = dict[int, dict[int, tuple[int, tuple[int, ...]]]]

LIGHTS = {
    gate.SHOW_IDLE: "idle",
    gate.SHOW_WOKEN: "woken",
    gate.SHOW_BLUE: "blue",
    gate.SHOW_MUTED: "muted",
    gate.SHOW_FALSE: "false wake",
    gate.SHOW_ERROR: "error",
    gate.SHOW_BENCH: "bench",
}
LIGHT_OF_STATE = {
    gate.MUTED: "muted",
    gate.LEFT: "muted",
    gate.LISTENING: "idle",
    gate.WOKEN: "woken",
    gate.TURNING_BLUE: "blue",
    gate.RECORDING: "blue",
    gate.SENDING: "blue",
    gate.DONE: "idle",
    gate.FALSE_WAKE: "false wake",
    gate.ERROR: "error",
    gate.BENCH: "bench",
    gate.STARTING: "dark",
}
MUTED_STATES = {gate.MUTED, gate.LEFT, gate.STARTING}
BLUE_STATES = {gate.TURNING_BLUE, gate.RECORDING, gate.SENDING}


class World(NamedTuple):
    """Everything outside the gate that its promises speak of."""

    switch: bool  # the hardware mute
    read: bool  # the switch has been read
    left: bool  # the application has ended
    mic: bool  # the microphone is read
    wanted: str  # the light that was asked for last
    shown: str  # the light that is really on, as far as is known
    sure: bool  # the light that was asked for last is the one that is on
    taking: bool  # samples go into a recording
    open: bool  # the link takes sound


@dataclass
class Exploration:
    """What a walk through every reachable (state, world) and every event found."""

    nodes: set[tuple[int, World]] = field(default_factory=set)
    transitions: int = 0
    violations: set[str] = field(default_factory=set)


def start() -> tuple[int, World, set[str]]:
    """The gate's first state in a world whose ring is dark and whose microphone is open."""
    world = World(True, False, False, True, "dark", "dark", True, False, False)
    broken: set[str] = set()
    for action in gate.START_ACTIONS:
        world = act(world, action, broken)
    return gate.START, world, broken


def act(world: World, action: int, broken: set[str], ring_failed: bool = False) -> World:
    """The world after one action; what must not be goes into ``broken``.

    A ring that fails is dark before the gate can know of it, so while it answers to that very
    event the ring isn't held against it.
    """
    if action in LIGHTS:
        world = _ask_for_light(world, LIGHTS[action])
    elif action in (gate.OPEN_MIC, gate.CLOSE_MIC):
        world = world._replace(mic=action == gate.OPEN_MIC)
    elif action == gate.BEGIN:
        if world.open or world.taking:
            broken.add("a recording began inside another")
        world = world._replace(taking=True, open=True)
    elif action == gate.END:
        if not world.taking:
            broken.add("a recording ended that wasn't running")
        world = world._replace(taking=False)
    elif action == gate.CLOSE:
        if not world.open:
            broken.add("the link was closed twice")
        if world.taking:
            broken.add("the link was closed under a running recording")
        world = world._replace(open=False)
    if not ring_failed:
        _check_blue(world, broken)
    if world.mic and "muted" in (world.wanted, world.shown):
        broken.add("the microphone was open under the light of mute")
    return world


def _ask_for_light(world: World, light: str) -> World:
    """Blue and idle are waited for; of the others nothing depends on the moment."""
    if light in ("blue", "idle"):
        return world._replace(wanted=light, sure=False)
    return world._replace(wanted=light, shown=light, sure=True)


def _check_blue(world: World, broken: set[str]) -> None:
    if world.open and (world.wanted, world.shown) != ("blue", "blue"):
        broken.add("sound could leave while the ring wasn't blue")
    if world.taking and world.shown != "blue":
        broken.add("samples were taken for a recording while the ring wasn't blue")


def happen(world: World, event: int) -> World:
    """What an event says of the world, before the gate answers it."""
    if event in (gate.SWITCH_ON, gate.SWITCH_OFF):
        return world._replace(switch=event == gate.SWITCH_ON, read=True)
    if event == gate.MUTE:
        return world._replace(left=True)
    # A late report of a light that is no longer wanted tells nothing about the ring.
    if event == gate.RING_BLUE and world.wanted == "blue":
        return world._replace(shown="blue", sure=True)
    if event == gate.RING_IDLE and world.wanted == "idle":
        return world._replace(shown="idle", sure=True)
    if event == gate.RING_FAILED:
        return world._replace(shown="dark", sure=False)
    return world


def check_rest(state: int, world: World, broken: set[str]) -> None:
    """The invariants of a state in which the gate waits for the next event."""
    _check_blue(world, broken)
    if (state == gate.LEFT) != world.left:
        broken.add("the state doesn't follow the application's end")
    if (state == gate.STARTING) != (not world.read and not world.left):
        broken.add("the state doesn't follow the first look at the switch")
    if (state in (gate.MUTED, gate.STARTING)) != (world.switch and not world.left):
        broken.add("the state doesn't follow the mute switch")
    if (world.switch or world.left) and (world.mic or world.taking or world.open):
        broken.add("muted, but the microphone is read or a recording goes on")
    if world.wanted != LIGHT_OF_STATE[state]:
        broken.add(f"the light in state '{gate.name(state)}' is '{world.wanted}'")
    if world.wanted == "blue" and state not in BLUE_STATES:
        broken.add("blue outside a recording")
    if world.taking != (state == gate.RECORDING):
        broken.add("samples are taken in another state than recording")
    if world.open != (state in (gate.RECORDING, gate.SENDING)):
        broken.add("the link's openness doesn't follow the state")
    if world.taking and not world.mic:
        broken.add("a recording runs without a microphone")
    if world.mic and state in (gate.ERROR, gate.BENCH):
        broken.add("the microphone is read in error or bench mode")
    if state == gate.LISTENING and not (world.mic and world.sure):
        broken.add("listening without a microphone or without its light")


def answer(table: Table, state: int, world: World, event: int) -> tuple[int, World, set[str]]:
    """One event: the gate's next state, the world after all actions, what was violated."""
    broken: set[str] = set()
    world = happen(world, event)
    after, actions = gate.step(state, event, table)
    if state == gate.LEFT and actions:
        broken.add("something was done after the application had ended")
    if sum(action in LIGHTS for action in actions) > 1:
        broken.add("two lights in one answer")
    for action in actions:
        world = act(world, action, broken, ring_failed=event == gate.RING_FAILED)
    if event in (gate.WAKE_RECORD, gate.WAKE_ONLY):
        _check_wake(state, after, event, actions, broken)
    _check_obeyed(state, after, event, broken)
    if event == gate.FALSE_MARK and state != gate.LEFT and gate.DISCARD not in actions:
        broken.add("a false mark deletes nothing")
    if event != gate.FALSE_MARK and gate.DISCARD in actions:
        broken.add("a recording was deleted without a false mark")
    check_rest(after, world, broken)
    return after, world, broken


def _check_wake(
    state: int, after: int, event: int, actions: tuple[int, ...], broken: set[str]
) -> None:
    heard = state in (gate.LISTENING, gate.BENCH)
    if heard != (gate.REPORT in actions):
        broken.add("a wake that was heard wasn't reported, or one that wasn't was")
    if event == gate.WAKE_ONLY and after in BLUE_STATES and state not in BLUE_STATES:
        broken.add("a wake that may not be recorded turned the ring blue")
    if state == gate.LISTENING and event == gate.WAKE_RECORD and after != gate.TURNING_BLUE:
        broken.add("a wake that may be recorded didn't turn the ring blue")


def _check_obeyed(state: int, after: int, event: int, broken: set[str]) -> None:
    """Each event that asks for something gets it wherever it can be asked."""
    hears = state not in MUTED_STATES and state not in (gate.ERROR, gate.BENCH)
    lights = state not in MUTED_STATES and state != gate.ERROR
    if event == gate.MIC_FAILED and hears and after != gate.ERROR:
        broken.add("a dead microphone went unnoticed")
    if event == gate.RING_FAILED and lights and after != gate.ERROR:
        broken.add("a dead ring went unnoticed")
    if event == gate.CANCEL and after in BLUE_STATES:
        broken.add("a cancelled recording went on")
    if event == gate.SILENCE and after == gate.RECORDING:
        broken.add("a recording outlasted the silence")
    if event == gate.SENT and after == gate.SENDING:
        broken.add("a recording that was sent went on")
    if event == gate.BENCH_OFF and after == gate.BENCH:
        broken.add("the bench can't be left")
    if event == gate.BENCH_ON and state == gate.LISTENING and after != gate.BENCH:
        broken.add("the bench can't be entered")


def explore(table: Table = gate.TABLE) -> Exploration:
    """Every reachable state of gate and world times every event, breadth first."""
    found = Exploration()
    state, world, broken = start()
    check_rest(state, world, broken)
    found.violations |= broken
    found.nodes.add((state, world))
    queue = deque(found.nodes)
    links: dict[tuple[int, World], set[tuple[int, World]]] = {}
    while queue:
        node = queue.popleft()
        links[node] = set()
        for event in range(len(gate.EVENTS)):
            after, world, broken = answer(table, *node, event)
            found.transitions += 1
            found.violations |= broken
            links[node].add((after, world))
            if (after, world) not in found.nodes:
                found.nodes.add((after, world))
                queue.append((after, world))
    found.violations |= _check_endings(table, found.nodes)
    found.violations |= _check_way_back(links)
    missing = set(gate.TABLE) - {state for state, _ in found.nodes}
    found.violations |= {f"state '{gate.name(state)}' can't be reached" for state in missing}
    return found


def _check_endings(table: Table, nodes: set[tuple[int, World]]) -> set[str]:
    """Time alone ends every recording and every light that isn't meant to stay."""
    broken: set[str] = set()
    for state, world in nodes:
        if state not in gate.DEADLINES and state != gate.RECORDING:
            continue
        after = state
        for _ in range(3):
            after, world, _ = answer(table, after, world, gate.DEADLINE)
        if after in BLUE_STATES:
            broken.add("a recording that time doesn't end")
        if answer(table, state, world, gate.DEADLINE)[0] == state:
            broken.add(f"state '{gate.name(state)}' ignores its deadline")
    return broken


def _check_way_back(links: dict[tuple[int, World], set[tuple[int, World]]]) -> set[str]:
    """From everywhere but the end there is a way back to listening."""
    good = {node for node in links if node[0] == gate.LISTENING}
    grown = True
    while grown:
        more = {node for node, after in links.items() if node not in good and after & good}
        good |= more
        grown = bool(more)
    lost = {state for state, _ in links.keys() - good} - {gate.LEFT}
    return {f"no way back from '{gate.name(state)}'" for state in lost}
