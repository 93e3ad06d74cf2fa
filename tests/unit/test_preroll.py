"""The sound before a wake: what adjoins it, and what the owner allowed, and nothing else."""

import pytest

from ear.privacy import gate
from ear.privacy.preroll import HOPS, PreRoll
from ear.privacy.recording import Wake
from ear.privacy.shell import Shell
from ear.settings import Settings


class _Microphone:
    def start(self) -> None: ...

    def stop(self) -> None: ...


class _Recorder:
    """Keeps the pre-roll that it was given; of each hop, the number in its first byte."""

    number = 0

    def begin(self, *told) -> None:
        *_, pre_roll = told
        self.number += 1
        self.pre_roll = [hop[0] for hop in pre_roll]

    def sent(self) -> bool:
        return True

    def push(self, hop, lost) -> None: ...

    def end(self, reason) -> None: ...

    def close(self, reason) -> None: ...

    def note_written(self, count) -> None: ...

    def pump(self) -> None: ...

    def tidy(self) -> None: ...


class _World:
    """A shell that listens, with consent on both sides."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.recorder = _Recorder()
        self.shell = Shell(
            _Microphone(),
            lambda _: True,
            lambda: None,
            None,
            Wake(),
            settings,
            lambda: None,
            self.failed,
        )
        self.shell.equip(self.recorder, PreRoll())
        self.shell.start()
        self.shell.post(gate.SWITCH_OFF)
        self.shell.allow_pre_roll(True)

    def failed(self, what: str, error: Exception) -> None:
        raise AssertionError((what, error))

    def hear(self, *hops: int) -> None:
        for hop in hops:
            self.shell.push(bytes([hop]) * 320, 0)

    def wait(self) -> None:
        """Until the device listens again."""
        while self.shell.state != gate.LISTENING:
            self.hear(99)
            self.shell.tick(0)

    def wake(self) -> list[int]:
        """The pre-roll of a recording that begins now."""
        self.shell.woke(True)
        assert self.shell.state == gate.RECORDING
        return self.recorder.pre_roll


@pytest.fixture
def world(tmp_path) -> _World:
    settings = Settings(str(tmp_path / "settings.json"))
    settings.set("pre_roll", True)
    return _World(settings)


def test_the_last_half_second(world: _World):
    world.hear(*range(70))
    assert world.wake() == list(range(70 - HOPS, 70))


def test_nothing_from_before_another_recording(world: _World):
    world.hear(1, 2)
    world.wake()
    world.hear(3)
    world.shell.post(gate.SILENCE)
    world.wait()
    world.hear(4)
    assert world.wake() == [4]


@pytest.mark.parametrize("pause", ["false wake", "wake that may not be recorded", "mute", "bench"])
def test_nothing_from_before_a_pause(world: _World, pause: str):
    """While it doesn't listen nothing is kept, so what was kept before doesn't adjoin the wake."""
    if pause == "false wake":
        world.shell.woke(False)
        world.wait()
    world.hear(1, 2)
    if pause == "false wake":
        assert world.shell.mark_false()
    elif pause == "wake that may not be recorded":
        world.shell.woke(False)
    elif pause == "mute":
        world.shell.post(gate.SWITCH_ON)
        world.shell.post(gate.SWITCH_OFF)
    else:
        world.shell.post(gate.BENCH_ON)
        world.shell.post(gate.BENCH_OFF)
    world.wait()
    world.hear(3)
    assert world.wake() == [3]


@pytest.mark.parametrize("side", ["device", "host"])
def test_nothing_from_while_consent_was_withdrawn(world: _World, side: str):
    world.hear(1, 2)
    for consent in (False, True):
        if side == "device":
            world.shell.equip(world.recorder, PreRoll() if consent else None)
        else:
            world.shell.allow_pre_roll(consent)
        world.hear(3 + consent)
    assert world.wake() == [4]
