"""What the whole loop takes, Python included, by count: docs/cost.md says how."""

from collections.abc import Callable
from typing import TypeVar

import pytest

from bluering.virtual.runtime import RuntimeMissingError
from tests.bench import loop, native
from tests.targets.callgrind import ValgrindMissingError
from tests.targets.xtensa import QemuMissingError
from tests.targets.xtensa_c import CompilerMissingError

T = TypeVar("T")
_MISSING = (CompilerMissingError, QemuMissingError, RuntimeMissingError, ValgrindMissingError)


def counted(count: Callable[[list[str]], T], words: list[str]) -> T:
    try:
        return count(words)
    except _MISSING as error:
        pytest.skip(str(error))


def test_listening_for_one_word_takes_six_tenths_of_what_it_took():
    cost = counted(loop.listening, loop.WORDS[:1])
    assert cost.i386 > 5_000, "the loop didn't run"
    assert cost.total() <= 0.6 * loop.ON_CHIP == 144_000


def test_listening_for_three_words_takes_little_more():
    assert counted(loop.listening, loop.WORDS).total() <= 158_400


def test_recording_takes_two_thirds_of_what_it_took():
    cost = counted(loop.recorded, loop.WORDS[:1])
    assert cost.parts["Python"] > 20_000
    assert 1_000 < cost.parts["frames"] < 2_500, "a chunk every fifth hop wasn't sealed natively"
    assert cost.total() <= 242_000


def test_muted_the_device_takes_two_percent_of_a_core_at_most():
    rate = counted(loop.muted, loop.WORDS[:1])
    assert 100_000 < rate <= 0.02 * native.CORE_HZ
