"""The demo's summary: wakes matched with what was said."""

import io

from rich.console import Console

from bluering.demo import Truth, Utterance
from bluering.demo.outcome import compare, table
from bluering.link.records import Wake

TRUTH = Truth(
    seconds=30,
    utterances=[
        Utterance(text="Good evening.", voice="anna", start=1, end=2),
        Utterance(text="Alexa", voice="anna", word="alexa", start=5.0, end=5.6),
        Utterance(text="computer", voice="gordon", word="computer", start=10.0, end=10.8),
    ],
)
NAMES = {"alexa": "Alexa", "computer": "computer"}


def wake(name: str, at: float) -> Wake:
    position = round(at * 100)
    return Wake(
        position=position, word=0, score=250, cutoff=229, model_sha256=b"", name=name, newest=b""
    )


def test_every_call_answered() -> None:
    result = compare(TRUTH, [wake("Alexa", 5.7), wake("computer", 10.75)], NAMES)
    assert result.perfect
    assert [call.delay_ms for call in result.calls] == [100, -50]


def test_a_call_missed() -> None:
    result = compare(TRUTH, [wake("Alexa", 5.7)], NAMES)
    assert not result.perfect
    assert [call.delay_ms for call in result.calls] == [100, None]
    assert result.uncalled == []


def test_another_word_a_late_wake_and_talk_are_uncalled() -> None:
    wakes = [wake("Alexa", 1.5), wake("computer", 5.7), wake("computer", 12.4)]
    result = compare(TRUTH, wakes, NAMES)
    assert [call.wake for call in result.calls] == [None, None]
    assert result.uncalled == wakes


def test_one_wake_answers_one_call() -> None:
    result = compare(TRUTH, [wake("Alexa", 5.3), wake("Alexa", 5.9)], NAMES)
    assert len(result.uncalled) == 1


def test_the_table_says_it_all() -> None:
    result = compare(TRUTH, [wake("Alexa", 5.7), wake("Alexa", 20)], NAMES)
    written = io.StringIO()
    console = Console(width=120, file=written)
    console.print(table(result))
    text = written.getvalue()
    for part in ('"Alexa"', "5.70 s", "100 ms", '"computer"', "missed", "nobody called", "20.00"):
        assert part in text
