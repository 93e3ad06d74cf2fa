"""The ear, end to end: sound goes into the virtual board, the ring and the link answer."""

import csv
import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bluering import audio, demo
from bluering.link.records import (
    Bye,
    Health,
    Hello,
    Log,
    RecordingChunk,
    RecordingStart,
    Ring,
    Scores,
    Wake,
    Word,
)
from bluering.models.compiled import source_sha256
from bluering.models.packaged import packaged
from bluering.virtual.listen import hear, messages
from bluering.virtual.runner import Light, VirtualBoard, VirtualBoardError
from bluering.virtual.runtime import RuntimeMissingError, find_micropython
from ear import ring

RATE = audio.RATE
BLUE = (0, 0, 255)


def quiet(seconds: float) -> np.ndarray:
    return np.zeros(round(seconds * RATE), np.int16)


def clips(corpus: Path, label: str) -> list[Path]:
    with (corpus / "manifest.csv").open(newline="") as file:
        return [corpus / row["path"] for row in csv.DictReader(file) if row["label"] == label]


def in_quiet(recordings: list[np.ndarray]) -> tuple[np.ndarray, list[tuple[int, int]]]:
    """All recordings in a row, 2 s of quiet before and 1 s after each; where each one is."""
    parts, places, at = [], [], 0
    for recording in recordings:
        around = [quiet(2), recording, quiet(1)]
        parts += around
        length = sum(map(len, around))
        places.append((at, at + length))
        at += length
    return np.concatenate(parts), places


def heard_in(wakes: list[Wake], places: list[tuple[int, int]]) -> list[bool]:
    positions = [wake.position * 160 for wake in wakes]
    return [any(start < p <= end for p in positions) for start, end in places]


def is_blue(light: Light) -> bool:
    return all(pixel == BLUE for pixel in light.pixels)


def test_it_presents_itself_and_takes_leave(word_size: int) -> None:
    words = [packaged("alexa"), packaged("computer")]
    said = hear(words, [quiet(1).tobytes()], word_size=word_size)
    hello, first, second = said[:3]
    assert isinstance(hello, Hello)
    assert (hello.sample_rate, hello.hop, hello.leds, hello.words) == (16000, 160, 12, 2)
    assert hello.board == "virtual"
    assert isinstance(first, Word)
    assert isinstance(second, Word)
    assert [first.name, second.name] == ["Alexa", "computer"]
    sources = [source_sha256(word.blob) for word in words]
    assert [first.model_sha256, second.model_sha256] == sources
    assert isinstance(said[-1], Bye)
    # Its microphone is closed until the switch has been read, and again when it leaves.
    lights = [ring.STATES[m.state] for m in said if isinstance(m, Ring)]
    assert lights == ["starting", "listening", "muted", "off"]
    health = [m for m in said if isinstance(m, Health)]
    assert [m.hops for m in health] == [100]
    assert (health[0].gaps, health[0].frames_dropped) == (0, 0)


def test_scores_come_with_every_step(word_size: int) -> None:
    said = hear([packaged("alexa")], [quiet(3).tobytes()], word_size=word_size)
    positions = [m.position for m in said if isinstance(m, Scores)]
    # The first features need three hops, the model steps at every third row of them.
    assert positions == list(range(5, 301, 3))


def test_a_recording_wakes_it_and_the_ring_follows(dev_corpus: Path, word_size: int) -> None:
    sound, places = in_quiet([audio.read(path) for path in clips(dev_corpus, "alexa")[:5]])
    blocks = [sound.tobytes(), quiet(3).tobytes()]  # time to end the last recording
    words = [packaged("alexa")]
    # Roomy: no frame is cut off on a slow link when a recording ends.
    record = {"record": True}
    board = VirtualBoard(words, blocks, word_size=word_size, settings=record, roomy=True)
    with board:
        said = list(messages(board))
        lights = list(board.lights())
    wakes = [m for m in said if isinstance(m, Wake)]
    assert heard_in(wakes, places) == [True] * 5
    turned_blue = [
        light.hops
        for before, light in itertools.pairwise(lights)
        if is_blue(light) and not is_blue(before)
    ]
    assert turned_blue == [wake.position for wake in wakes]
    for wake in wakes:
        assert wake.score > wake.cutoff
        assert len(wake.newest) == 5
        following = [m for m in said[said.index(wake) :] if isinstance(m, Ring)]
        assert [ring.STATES[m.state] for m in following[:2]] == ["blue", "listening"]


def test_sound_leaves_only_while_the_ring_is_blue(dev_corpus: Path, word_size: int) -> None:
    sound, _ = in_quiet([audio.read(path) for path in clips(dev_corpus, "alexa")[:3]])
    words = [packaged("alexa")]
    said = hear(words, [sound.tobytes()], word_size=word_size, settings={"record": True})
    state, chunks = "", 0
    for message in said:
        if isinstance(message, Ring):
            state = ring.STATES[message.state]
        elif isinstance(message, RecordingStart | RecordingChunk):
            assert state == "blue"
            chunks += 1
    assert chunks > 3 * 10


def test_without_leave_a_wake_only_shows(dev_corpus: Path) -> None:
    sound, _ = in_quiet([audio.read(path) for path in clips(dev_corpus, "alexa")[:3]])
    said = hear([packaged("alexa")], [sound.tobytes()])
    assert len([m for m in said if isinstance(m, Wake)]) == 3
    assert not [m for m in said if isinstance(m, RecordingStart | RecordingChunk)]
    lights = [ring.STATES[m.state] for m in said if isinstance(m, Ring)]
    assert lights[1:-2] == ["listening", "woken"] * 3 + ["listening"]


def talk(corpus: Path, seconds: float) -> np.ndarray:
    parts, length = [], 0
    for path in clips(corpus, "tv"):
        parts.append(audio.read(path))
        length += len(parts[-1])
        if length > seconds * RATE:
            break
    return np.concatenate(parts)


def test_talk_does_not_wake_it(dev_corpus: Path, word_size: int) -> None:
    said = hear([packaged("alexa")], [talk(dev_corpus, 300).tobytes()], word_size=word_size)
    assert not [m for m in said if isinstance(m, Wake)]
    assert "blue" not in {ring.STATES[m.state] for m in said if isinstance(m, Ring)}


def test_it_hears_what_a_microwakeword_runtime_hears(dev_corpus: Path) -> None:
    """A miss rate of at most 4 % on all "alexa" recordings at the model's own cutoff."""
    recordings = [audio.read(path) for path in clips(dev_corpus, "alexa")]
    sound, places = in_quiet(recordings)
    wakes = [m for m in hear([packaged("alexa")], [sound.tobytes()]) if isinstance(m, Wake)]
    missed = heard_in(wakes, places).count(False)
    print(f"missed {missed} of {len(places)}")
    assert len(places) >= 100
    assert missed <= 0.04 * len(places)


def test_both_word_sizes_say_the_same(dev_corpus: Path) -> None:
    try:
        find_micropython(32)
    except RuntimeMissingError as error:
        pytest.skip(str(error))
    sound, _ = in_quiet([audio.read(path) for path in clips(dev_corpus, "alexa")[5:15]])
    words = [packaged("alexa"), packaged("hey_echo"), packaged("computer")]
    said = [hear(words, [sound.tobytes()], word_size=size) for size in (64, 32)]
    first, second = ([m for m in one if isinstance(m, Scores | Wake | Ring)] for one in said)
    assert len(first) > 1000
    assert first == second


def test_a_microphone_of_32_bits_hears_the_same(word_size: int) -> None:
    """A board's own table: the samples lie where its shift expects them."""
    sound = audio.read(demo.FLAC)[: 30 * RATE].tobytes()
    said = []
    for table in ("virtual", "esp32s3-devkitc-1"):
        with VirtualBoard([packaged("alexa")], [sound], word_size=word_size, board=table) as board:
            said.append([m for m in messages(board) if isinstance(m, Scores | Wake)])
    assert any(isinstance(m, Wake) for m in said[0])
    assert said[0] == said[1]


def damaged(blob: bytes) -> Iterator[tuple[str, bytes]]:
    yield "truncated", blob[:-1]
    yield "corrupt", blob[:1000] + bytes([blob[1000] ^ 1]) + blob[1001:]
    yield "empty", b""


@pytest.mark.parametrize("index", range(3), ids=["truncated", "corrupt", "empty"])
def test_a_damaged_model_is_refused_with_a_reason(index: int, word_size: int) -> None:
    word = packaged("alexa")
    _, blob = list(damaged(word.blob))[index]
    said = []
    board = VirtualBoard([replace(word, blob=blob)], [quiet(10).tobytes()], word_size=word_size)
    with board, pytest.raises(VirtualBoardError, match=r"alexa\.ear"):
        for message in messages(board):
            said.append(message)  # noqa: PERF402 - what came before the error counts
    lights = [ring.STATES[m.state] for m in said if isinstance(m, Ring)]
    assert lights[-1] == "error_model"
    assert [m.code for m in said if isinstance(m, Log)] == ["model"]


def test_listening_allocates_nothing(word_size: int) -> None:
    """10,000 hops with wakes, light and telemetry in them, all with the heap locked."""
    sound = np.tile(audio.read(demo.FLAC), 2)[: 10_000 * 160].tobytes()
    words = [packaged("alexa"), packaged("hey_echo"), packaged("computer")]
    program = Path(__file__).parents[1] / "device" / "app_heap.py"
    with VirtualBoard(words, [sound], word_size=word_size, program=program) as board:
        said = list(messages(board))
    assert len([m for m in said if isinstance(m, Wake)]) >= 7
    assert isinstance(said[-1], Bye)
