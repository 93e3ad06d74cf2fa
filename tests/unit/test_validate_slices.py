"""Misses by slice: which of them are worse than the rest, and where that is said."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest

from bluering.validate.report.console import slice_table
from bluering.validate.report.page import report_page
from bluering.validate.report.schema import Misses, Report, read_report, without_names, write_report
from bluering.validate.runner import Here
from bluering.validate.session import carry_out, prepare
from bluering.validate.slices import by_slice, worst_sentence
from bluering.validate.store import Store
from tests.silent import Silent
from tests.unit.validate_world import SPEC, beep, hum, write


def _clips(by: str, value: str, missed: int, of: int) -> list[tuple]:
    return [(((by, value),), number < missed) for number in range(of)]


def _misses(clips: list[tuple]) -> Misses:
    missed = sum(m for _, m in clips)
    return Misses(
        condition="clean", clips=len(clips), missed=missed, latency=None, slices=by_slice(clips)
    )


def test_a_slice_far_worse_than_the_rest_is_named_and_beyond_chance() -> None:
    slow, fast = _clips("speed", "slow", 1, 60), _clips("speed", "fast", 20, 60)
    misses = _misses(slow + fast + _clips("voice", "ann", 1, 60))
    assert misses.worst_slice == "speed fast"
    worst = misses.worst
    assert worst is not None
    assert (worst.missed, worst.clips, worst.real) == (20, 60, True)
    assert worst.interval == pytest.approx((0.2169, 0.4669), abs=1e-4)
    assert [s.real for s in misses.slices] == [True, False, False]
    assert "speed fast, 20 of 60 missed (21.7 to 46.7 %), more than" in worst_sentence(misses)


def test_one_unlucky_clip_is_not_the_worst_slice() -> None:
    ann, bob = _clips("voice", "ann", 1, 1), _clips("voice", "bob", 6, 30)
    misses = _misses(ann + bob + _clips("voice", "cid", 10, 60))
    assert misses.worst_slice == "voice bob"
    assert "which could be chance" in worst_sentence(misses)


def test_where_nothing_is_missed_no_slice_is_the_worst() -> None:
    misses = _misses(_clips("voice", "ann", 0, 9))
    assert misses.worst_slice is None
    assert worst_sentence(misses) == ""


def test_a_slice_of_all_clips_is_not_worse_than_itself() -> None:
    misses = _misses(_clips("voice", "ann", 9, 9))
    assert misses.worst_slice is None
    assert [s.real for s in misses.slices] == [False]


def test_slicings_stay_together_and_numbers_are_in_order() -> None:
    clips = [
        ((("speed", value), ("voice", voice)), False)
        for value, voice in (("10", "b"), ("9", "a"), ("fast", "b"), ("-1", "a"))
    ]
    assert [s.name for s in by_slice(clips)] == [
        "speed -1",
        "speed 9",
        "speed 10",
        "speed fast",
        "voice a",
        "voice b",
    ]


@pytest.fixture
def report(tmp_path: Path) -> Report:
    """Soft and loud clips, a third of them without a voice; the cutoff is between the two."""
    root = tmp_path / "corpus"
    rows = []
    for number in range(24):
        level = "soft" if number % 2 else "loud"
        tone = beep(0.06 if level == "soft" else 0.2) + np.random.default_rng(number).normal(
            0, 1e-4, 12_800
        )
        write(root / f"{number}.wav", tone)
        voice = ("ann", "bob", "")[number % 3]
        rows.append([f"{number}.wav", "beep", "positives", level, voice])
    write(root / "hum.wav", hum(0.01, 60.0))
    rows.append(["hum.wav", "tv", "negatives", "", ""])
    with (root / "manifest.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["path", "label", "set", "slice_level", "slice_voice"], *rows])
    prepared = prepare(root, SPEC, ["clean", "tv@20"], seed=1)
    return carry_out(prepared, Store(tmp_path / "parts", SPEC), Here(), Silent(), "test")


def test_the_report_counts_each_slice(report: Report) -> None:
    for misses in report.models[0].shipped.misses:
        counted = {s.name: (s.missed, s.clips) for s in misses.slices}
        assert counted == {
            "level loud": (0, 12),
            "level soft": (12, 12),
            "voice ann": (4, 8),
            "voice bob": (4, 8),
        }
        assert misses.worst_slice == "level soft"
    assert report.models[0].clips[0].slices == {"level": "loud", "voice": "ann"}


def test_json_page_and_console_tell_it(report: Report, tmp_path: Path) -> None:
    write_report(report, tmp_path / "r.json")
    assert read_report(tmp_path / "r.json") == report
    content = json.loads((tmp_path / "r.json").read_text())
    clean = content["models"][0]["points"][0]["misses"][0]
    assert clean["worst_slice"] == "level soft"
    soft = next(s for s in clean["slices"] if s["value"] == "soft")
    assert soft["interval"] == pytest.approx([0.7354, 1.0], abs=1e-4)
    sentence = "Worst under clean: level soft, 12 of 12 missed"
    assert sentence in report_page(report)
    table = slice_table(report.models[0])
    assert table is not None
    assert sentence in str(table.caption)
    assert table.row_count == 4


def test_published_clips_keep_no_slice_of_their_own(report: Report) -> None:
    published = without_names(report).models[0]
    assert all(clip.slices == {} for clip in published.clips)
    assert published.shipped.misses == report.models[0].shipped.misses
