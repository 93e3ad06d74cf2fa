"""What counts as a real difference, and what the release gate lets through."""

from pathlib import Path

import pytest

from bluering.validate import pairing
from bluering.validate.compare import compare
from bluering.validate.gate import gate
from bluering.validate.report.schema import (
    SHIPPED,
    OperatingPoint,
    ReportError,
    read_report,
    write_report,
)
from tests.unit.validate_reports import CUTOFF, SOME, clips, report


def test_the_same_report_passes() -> None:
    same = report(clips(3), SOME)
    checks = gate(same, same, strict=True)
    assert [check.what for check in checks] == ["recall, clean", "false accepts per hour"]
    assert not any(check.failed or check.watch for check in checks)


@pytest.mark.parametrize(
    ("missed", "strict", "failed", "watch"),
    [
        (4, True, False, False),  # 0.01 less recall is allowed
        (5, True, True, False),
        (5, False, False, True),  # two clips more: chance
        (9, False, True, False),  # six more and none less: not chance
        (0, True, False, False),
    ],
)
def test_recall_may_fall_by_a_hundredth(
    missed: int, strict: bool, failed: bool, watch: bool
) -> None:
    recall, _ = gate(report(clips(missed), SOME), report(clips(3), SOME), strict)
    assert (recall.failed, recall.watch) == (failed, watch)
    assert recall.worse_by == pytest.approx((missed - 3) / 100)


@pytest.mark.parametrize(
    ("more", "hours", "strict", "failed", "watch"),
    [
        (1, 10.0, True, True, False),
        (1, 10.0, False, False, True),
        (5, 10.0, False, True, False),
        (5, 200.0, False, False, False),  # 0.025 per hour more
        (-3, 10.0, True, False, False),
    ],
)
def test_false_accepts_may_rise_by_a_twentieth_per_hour(
    more: int, hours: float, strict: bool, failed: bool, watch: bool
) -> None:
    new = (
        [100.3 * i for i in range(5 + more)]
        if more < 0
        else SOME + [7000.0 + i for i in range(0, 9 * more, 9)]
    )
    _, accepts = gate(report(clips(3), new, hours), report(clips(3), SOME, hours), strict)
    assert (accepts.failed, accepts.watch) == (failed, watch)


def test_other_recordings_are_held_against_each_other_unpaired() -> None:
    old = report(clips(3), SOME)
    new = report(
        clips(9), SOME + [9000.0 + 5 * i for i in range(6)], listening="other", first_clip=500
    )
    assert not any(check.failed for check in gate(new, old))
    worse = report(clips(14), [9.0 * i for i in range(30)], listening="other", first_clip=500)
    assert all(check.failed for check in gate(worse, old))


def test_what_is_no_longer_measured_fails() -> None:
    old = report(clips(3), SOME)
    model = old.models[0]
    empty = model.model_copy(
        update={"points": [OperatingPoint(name=SHIPPED, cutoff=CUTOFF)], "miss_curves": []}
    )
    checks = gate(old.model_copy(update={"models": [empty]}), old)
    assert [check.failed for check in checks] == [True, True]
    assert all(check.new is None for check in checks)


def test_a_missing_model_is_an_error() -> None:
    old = report(clips(3), SOME)
    both = old.model_copy(
        update={"models": [old.models[0], old.models[0].model_copy(update={"name": "other"})]}
    )
    with pytest.raises(ReportError, match="lacks the model"):
        gate(old, both)


def test_only_clips_missed_by_one_side_count() -> None:
    a = report([0, 0, 255, 255, 255], []).models[0]
    b = report([0, 255, 0, 0, 255], []).models[0]
    pairs = pairing.missed_clips(a, b, "clean", (CUTOFF, CUTOFF))
    assert pairs == pairing.Discordant(1, 2)


def test_wakes_within_a_second_are_the_same() -> None:
    a, b = report([], [10.0, 50.0, 90.0]), report([], [10.8, 52.0])
    pairs = pairing.false_accepts(a.models[0].shipped, b.models[0].shipped, "tv")
    assert pairs == pairing.Discordant(2, 1)


def test_a_difference_is_real_beyond_all_tests_at_once() -> None:
    (same,) = compare(report(clips(3), SOME), report(clips(5), SOME))
    assert [d.what for d in same.differences] == [
        "clean",
        "false accepts, tv",
        "false accepts, all",
    ]
    assert not any(d.real for d in same.differences)
    (worse,) = compare(report(clips(3), SOME), report(clips(20), SOME))
    assert [d.real for d in worse.differences] == [True, False, False]
    assert worse.differences[0].test == "McNemar"
    assert worse.differences[0].adjusted_p == pytest.approx(3 * 2 / 2**17)


def test_models_of_any_name_are_compared_when_there_is_one_each() -> None:
    (comparison,) = compare(report(clips(3), [], name="a"), report(clips(3), [], name="b"))
    assert (comparison.first.name, comparison.second.name) == ("a", "b")


def test_a_report_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "r.json"
    original = report(clips(3), SOME)
    write_report(original, path)
    assert read_report(path) == original
    longest = max(path.read_text().splitlines(), key=len)
    assert longest.count(",") >= 255  # a curve is one line


@pytest.mark.parametrize("text", ["", "{}", '{"format": "other"}'])
def test_what_is_no_report_says_so(tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.json"
    path.write_text(text)
    with pytest.raises(ReportError, match="is no report"):
        read_report(path)
    with pytest.raises(ReportError, match="can't be read"):
        read_report(tmp_path / "none.json")
