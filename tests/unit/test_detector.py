"""The detector against small tables: probabilities in, wakes out."""

import pytest

from ear.spotter.detector import Detector

CUTOFF = 100


def newest(detector: Detector, window: int) -> list[int]:
    """The detector's last probabilities, oldest first."""
    into = bytearray(window)
    detector.write_newest(into)
    return list(into)


def wakes(detector: Detector, table: str) -> str:
    """A row of the table is a probability a step, in hexadecimal tens: '0' to 'f' for 0 to 150.

    The result has a '!' where the word was heard and a '.' where it wasn't.
    """
    said = (detector.step(10 * int(symbol, 16)) for symbol in table)
    return "".join("!" if heard else "." for heard in said)


@pytest.mark.parametrize(
    ("window", "stride", "warmup", "refractory", "table", "heard"),
    [
        # the mean must be above the cutoff, not at it
        (1, 1, 0, 0, "0a9b0", "...!."),
        (3, 1, 0, 0, "aaaab0", "....!."),
        # the mean is taken over the whole window, from the start
        (3, 1, 0, 0, "fff", "..!"),  # 150, 300, 450 of 3 times 100
        (5, 1, 0, 0, "ffff0", "...!."),
        # after a wake, what was heard before it no longer counts
        (3, 1, 0, 0, "ffffff0", "..!..!."),
        (3, 1, 0, 0, "0f0f0f", "......"),  # 100 at most
        # hops right after switching on don't count, the step on the last of them does
        (1, 1, 4, 0, "0000b", "....!"),
        (1, 3, 4, 0, "bb0b", "...!"),
        (1, 3, 5, 0, "0b", ".!"),  # during 2 hops of the second step the first output still held
        # in warm-up, hops in which the newest probability is at or above the cutoff don't pass
        (1, 1, 4, 0, "000aab0b", ".......!"),
        (1, 3, 6, 0, "0b0b", "...!"),  # 3 + 2 + 1 hops
        # after a wake, so many hops below the cutoff must pass
        (1, 1, 0, 3, "b0b0b0b", "!.....!"),
        (1, 1, 0, 3, "bbbbbbbb000b", "!..........!"),
        (1, 3, 0, 6, "b0b00b", "!....!"),
    ],
)
def test_table(window, stride, warmup, refractory, table, heard) -> None:
    detector = Detector(CUTOFF, window, stride, refractory, warmup)
    assert wakes(detector, table) == heard


def test_the_first_74_hops_are_ignored_unless_told_otherwise() -> None:
    detector = Detector(CUTOFF, 1, 1, 0)
    assert wakes(detector, 73 * "0" + "b") == 74 * "."
    assert wakes(detector, "0b") == ".!"


def test_reset_begins_anew() -> None:
    detector = Detector(CUTOFF, 2, 1, 0, 3)
    table, heard = "000ff0f", "....!.."
    assert wakes(detector, table) == heard
    detector.reset()
    assert detector.mean == 0
    assert newest(detector, 2) == [0, 0]
    assert wakes(detector, table) == heard


def test_mean_and_newest_tell_what_woke_it() -> None:
    detector = Detector(CUTOFF, 3, 1, 0, 0)
    for probability in (7, 90, 101, 111):
        heard = detector.step(probability)
    assert heard
    assert detector.mean == (90 + 101 + 111) // 3
    assert newest(detector, 3) == [90, 101, 111]
    detector.step(9)
    assert detector.mean == 3  # what came before the wake is spent
    assert newest(detector, 3) == [101, 111, 9]
