"""The receiver's table, explored exhaustively: every reachable state times every possible event.

The world is told nothing of the table: it follows the actions, as receiver, vault and user would,
and holds them to what a receiver promises.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import pytest

from bluering.link.connection import Disconnected
from bluering.link.reader import Received
from bluering.link.records import Record
from bluering.vault import receiving
from bluering.vault.receiver import Receiver
from bluering.vault.receiving import Action, Answer, Event, State
from bluering.vault.trust import Registry
from bluering.vault.vault import Vault
from ear.privacy import gate
from tests.unit import sound_world, vault_world

Table = dict[State, dict[Event, Answer]]

OF_THE_OPEN = {
    Event.PIECE,
    Event.END,
    Event.LAST,
    Event.REJECTED,
    Event.UNWANTED,
    Event.STALLED,
}
OF_THE_HELD = {Event.BEGINNING_OF_HELD, Event.EARLY_OF_ANOTHER, Event.LATE}
BEGINNINGS = {Event.BEGINNING, Event.BEGINNING_OF_HELD}
REFUSING = {Event.REJECTED, Event.UNWANTED}
FINAL = {Event.LAST, Event.STALLED, Event.GONE, *BEGINNINGS}
STATES = {
    (False, False, False): State.IDLE,
    (False, False, True): State.IDLE_HOLDING,
    (True, False, False): State.OPEN,
    (True, False, True): State.OPEN_HOLDING,
    (True, True, False): State.ENDED,
    (True, True, True): State.ENDED_HOLDING,
}


class World(NamedTuple):
    """Everything outside the table that its promises speak of."""

    open: bool = False  # a recording is being put together
    ended: bool = False  # its end has come
    held: bool = False  # pieces without a beginning are kept


@dataclass
class Exploration:
    """What a walk through every reachable (state, world) and every possible event found."""

    nodes: set[tuple[State, World]] = field(default_factory=set)
    transitions: int = 0
    violations: set[str] = field(default_factory=set)


def possible(world: World, event: Event) -> bool:
    """Whether the receiver can see this event now."""
    if event in OF_THE_OPEN:
        return world.open
    return world.held or event not in OF_THE_HELD


def answer(
    table: Table, state: State, world: World, event: Event
) -> tuple[State, World, tuple[Action, ...], set[str]]:
    """One event: the next state, the world after all actions, the actions, what was violated."""
    broken: set[str] = set()
    after, actions = receiving.step(state, event, table)
    if not possible(world, event):
        if (after, actions) != (state, ()):
            broken.add("something is done about what can't be")
        return state, world, (), broken
    before = world
    if event == Event.END:
        world = world._replace(ended=True)
    for place, action in enumerate(actions):
        world = act(world, action, actions[:place], broken)
    check_event(before, event, actions, broken)
    if after != STATES[world.open, world.ended, world.held]:
        broken.add("the state doesn't say what is open and what is held")
    return after, world, actions, broken


def act(world: World, action: Action, done: tuple[Action, ...], broken: set[str]) -> World:
    """The world after one action; what must not be goes into ``broken``."""
    if action in (Action.STORE, Action.DROP):
        if not world.open:
            broken.add("a recording is stored or dropped that isn't open")
        return world._replace(open=False, ended=False)
    if action == Action.OPEN:
        if world.open:
            broken.add("an open recording is forgotten")
        if Action.NOTE_MISSED not in done:
            broken.add("what was missed before a recording goes unnoticed")
        return world._replace(open=True, ended=False)
    if action in (Action.LOSE, Action.REPLAY):
        if not world.held:
            broken.add("nothing is held")
        if action == Action.REPLAY and done[-3:-1] != (Action.NOTE_MISSED, Action.OPEN):
            broken.add("what was held is replayed into nothing")
        return world._replace(held=False)
    if action == Action.HOLD:
        return world._replace(held=True)
    return world


def check_event(world: World, event: Event, actions: tuple[Action, ...], broken: set[str]) -> None:
    """What an event asks for is done, and nothing that it doesn't ask for."""
    if len(set(actions)) < len(actions):
        broken.add("something is done twice")
    ends = world.open and event in FINAL
    if (Action.STORE in actions) != ends:
        broken.add("a recording is stored too early, not at all, or although it is unwanted")
    if (Action.DROP in actions) != (event in REFUSING):
        broken.add("what is unwanted is kept, or what is wanted is dropped")
    if (Action.CANCEL in actions) != (event == Event.REJECTED):
        broken.add("a device isn't told to stop, or is told without need")
    if Action.CANCEL in actions[1:]:
        broken.add("the vault is asked before the device is told to stop")
    if (Action.OPEN in actions) != (event in BEGINNINGS):
        broken.add("a beginning opens nothing, or something else does")
    if (Action.NOTE_MISSED in actions) != (event in BEGINNINGS):
        broken.add("what was missed before a recording goes unnoticed")
    if (Action.REPLAY in actions) != (event == Event.BEGINNING_OF_HELD):
        broken.add("pieces are lost though their beginning came, or used for another")
    waits = event in BEGINNINGS or (event == Event.PIECE and not world.ended)
    if (Action.AWAIT_MORE in actions) != waits:
        broken.add("a recording is given up too early or too late")
    if (Action.AWAIT_LATE in actions) != (event == Event.END):
        broken.add("late pieces are waited for too short or too long")
    if (Action.HOLD in actions) != (event in (Event.EARLY, Event.EARLY_OF_ANOTHER)):
        broken.add("a piece is thrown away though its beginning may come")
    told = {Event.EARLY_OF_ANOTHER, Event.LATE, Event.GONE, Event.BEGINNING}
    if (Action.LOSE in actions) != (world.held and event in told):
        broken.add("the user isn't told of what can't be opened, or is told of what can")
    if Action.HOLD in actions[:-1]:
        broken.add("a piece is held and lost at once")


def explore(table: Table) -> Exploration:
    """Every reachable state of table and world times every possible event."""
    found = Exploration()
    waiting = [(State.IDLE, World())]
    found.nodes.update(waiting)
    while waiting:
        state, world = waiting.pop()
        for event in Event:
            after, then, _, broken = answer(table, state, world, event)
            found.transitions += 1
            found.violations |= broken
            if (after, then) not in found.nodes:
                found.nodes.add((after, then))
                waiting.append((after, then))
        _, gone, _, _ = answer(table, state, world, Event.GONE)
        if gone != World():
            found.violations.add("something is open or held after the connection is gone")
        rest = world
        for event in (Event.STALLED, Event.LATE):
            state, rest, _, _ = answer(table, state, rest, event)
        if rest != World():
            found.violations.add("time alone doesn't end it")
    missing = set(State) - {state for state, _ in found.nodes}
    found.violations |= {f"state '{state.value}' can't be reached" for state in missing}
    return found


def table() -> Table:
    """A copy that can be spoilt."""
    return {state: dict(row) for state, row in receiving.TABLE.items()}


def test_every_reachable_state_times_every_event_keeps_the_promises() -> None:
    found = explore(table())
    assert found.violations == set()
    assert len(found.nodes) == len(State)
    assert found.transitions == len(State) * len(Event)


def _unseen(change: Callable[[Table, State, Event], None]) -> set[tuple[State, Event]]:
    """The rows for which the exploration doesn't notice a change."""
    unseen = set()
    for state, row in receiving.TABLE.items():
        for event in row:
            spoilt = table()
            change(spoilt, state, event)
            if spoilt != table() and not explore(spoilt).violations:
                unseen.add((state, event))
    return unseen


def test_every_forgotten_row_is_found() -> None:
    def forget(spoilt: Table, state: State, event: Event) -> None:
        del spoilt[state][event]

    assert _unseen(forget) == set()


@pytest.mark.parametrize("place", range(5))
def test_every_dropped_action_is_found(place: int) -> None:
    def drop(spoilt: Table, state: State, event: Event) -> None:
        after, actions = spoilt[state][event]
        spoilt[state][event] = (after, actions[:place] + actions[place + 1 :])

    assert _unseen(drop) == set()


@pytest.mark.parametrize("wrong", State, ids=lambda state: state.value)
def test_every_wrong_turn_is_found(wrong: State) -> None:
    def turn(spoilt: Table, state: State, event: Event) -> None:
        spoilt[state][event] = (wrong, spoilt[state][event][1])

    assert _unseen(turn) == set()


@pytest.mark.parametrize("action", Action, ids=lambda action: action.value)
def test_every_needless_action_is_found(action: Action) -> None:
    def add(spoilt: Table, state: State, event: Event) -> None:
        after, actions = spoilt[state][event]
        spoilt[state][event] = (after, (action, *actions))

    assert _unseen(add) == set()


def test_the_receiver_is_always_where_the_table_says() -> None:
    """Messages of several recordings in any order, some lost, time, a new session now and then."""
    assert set().union(*map(receive, range(10))) == set(State)


def receive(seed: int) -> set[State]:
    """The states that a receiver goes through."""
    rng = random.Random(seed)
    pile = [message for number in range(1, 7) for message in some_recording(rng, number)]
    rng.shuffle(pile)
    pile.sort(key=lambda message: getattr(message, "number", 0) + rng.choice((0, 0, 0, 1, 2)))
    seen = set()
    with vault_world.memory_folder() as folder:
        vault = Vault.create(folder / "vault", vault_world.PASSPHRASE)
        identities = {sound_world.DEVICE: sound_world.KEY}
        receiver = Receiver(vault, identities, Registry(), "p", lambda _: rng.random() < 0.9)
        now = 0.0
        for message in pile:
            now += rng.choice((0.01, 0.01, 0.6, 6.0))
            list(receiver.tick(now))
            list(receiver.handle(Received(now, message)))
            assembly, held = receiver._assembly, receiver._early.number is not None
            ended = assembly is not None and assembly.end is not None
            assert receiver._state == STATES[assembly is not None, ended, held]
            seen.add(receiver._state)
        list(receiver.handle(Disconnected(now, "gone")))
        assert receiver._state == State.IDLE
        vault.close()
    return seen


def some_recording(rng: random.Random, number: int) -> list[Record]:
    """Its messages without some, and what else may come."""
    reason = rng.choice((gate.SILENCE, gate.SILENCE, gate.CANCEL, gate.FALSE_MARK))
    start, *rest = sound_world.recording(number, hops=6, reason=reason)
    kept = [message for message in (start, *rest) if rng.random() < 0.9]
    if rng.random() < 0.3:
        kept.append(sound_world.false_wake(number))
    if rng.random() < 0.3:
        kept.append(sound_world.hello(rng.randrange(3)))
    return kept + [start] * rng.randrange(2)
