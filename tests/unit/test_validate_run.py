"""Parts, done in any way and interrupted anywhere, add up to the same figures."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from bluering.sound_files import HOP, RATE
from bluering.validate import plan
from bluering.validate.corpus import load_corpus
from bluering.validate.engines import EngineSpec
from bluering.validate.hear import hear
from bluering.validate.plan import (
    ClipPart,
    ConditionError,
    Part,
    StreamPart,
    make_plan,
    parse_condition,
)
from bluering.validate.report.schema import Report
from bluering.validate.results import PartResult, StreamResult
from bluering.validate.runner import Finished, Here, InterruptedRunError, Processes, Workers, run
from bluering.validate.session import NothingMeasuredError, Prepared, carry_out, prepare
from bluering.validate.store import Store
from tests.silent import Silent
from tests.unit.validate_world import (
    SPEC,
    WORD,
    LoudEngine,
    beep,
    build_corpus,
    hum,
    listening,
    write,
)

CONDITIONS = ["clean", "tv@10", "far", "near+music@5"]


@pytest.fixture(scope="module", autouse=True)
def _short_stretches() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "STRETCH_SECONDS", 60.0)
        yield


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(build_corpus(tmp_path_factory.mktemp("corpus")), SPEC, CONDITIONS, seed=1)


@pytest.fixture(scope="module")
def report(prepared: Prepared, tmp_path_factory: pytest.TempPathFactory) -> Report:
    return _carry_out(prepared, tmp_path_factory.mktemp("parts"), Here())


def _carry_out(prepared: Prepared, folder: Path, workers: Workers) -> Report:
    return carry_out(prepared, Store(folder, SPEC), workers, Silent(), "test")


def test_the_figures_are_those_of_the_recordings(report: Report) -> None:
    (model,) = report.models
    shipped = model.shipped
    clean = shipped.condition("clean")
    assert clean is not None
    # RMS 0.06..0.20: the score is a thousand times that, the cutoff 100; 0.10 is not above it.
    assert (clean.clips, clean.missed) == (8, 3)
    assert [clip.scores["clean"] for clip in model.clips] == pytest.approx(
        [60, 80, 100, 120, 140, 160, 180, 200], abs=1
    )
    assert {kind.kind: kind.count for kind in shipped.kinds} == {"music": 1, "tv": 2}
    assert shipped.overall is not None
    assert shipped.overall.hours == pytest.approx(190 / 3600, rel=1e-3)
    hardest = shipped.false_accepts
    assert [(f.file, round(f.score, -1)) for f in hardest] == [
        ("negatives/music/0.wav", 250),
        ("negatives/tv/2.wav", 200),
        ("negatives/tv/2.wav", 150),
    ]
    # A beep starts 0.1 s into its recording; the mean passes the cutoff after a few steps.
    assert [f.seconds for f in hardest] == pytest.approx([3.2, 25.2, 10.25], abs=0.1)


def test_latency_is_counted_from_the_end_of_the_word(report: Report) -> None:
    clean = report.models[0].shipped.condition("clean")
    assert clean is not None
    assert clean.latency is not None
    # Beeps of 0.6 s: the mean passes the cutoff after 2 to 5 steps of 30 ms, before their end.
    assert len(clean.latency.each_ms) == 5
    assert all(-600 < each < -400 for each in clean.latency.each_ms)
    assert clean.latency.median_ms <= clean.latency.p95_ms


def test_noise_and_rooms_change_what_is_heard(report: Report) -> None:
    by_condition = {curve.condition: curve for curve in report.models[0].miss_curves}
    assert list(by_condition) == CONDITIONS
    loudest = report.models[0].clips[-1].scores
    assert len(set(loudest.values())) == len(CONDITIONS)


def test_processes_give_the_same_report(prepared: Prepared, report: Report, tmp_path: Path) -> None:
    assert _carry_out(prepared, tmp_path, Processes(2)) == report


class _Interrupted:
    """Ctrl-C after so many parts."""

    def __init__(self, after: int) -> None:
        self._after = after
        self.done: list[Part] = []

    def run(self, spec: EngineSpec, parts: list[Part], finished: Finished) -> None:
        def count(part: Part, result: PartResult) -> None:
            if len(self.done) == self._after:
                raise KeyboardInterrupt
            finished(part, result)
            self.done.append(part)

        Here().run(spec, parts, count)


def test_an_interrupted_run_goes_on_where_it_was(
    prepared: Prepared, report: Report, tmp_path: Path
) -> None:
    first = _Interrupted(5)
    with pytest.raises(InterruptedRunError, match="finished parts are kept") as caught:
        _carry_out(prepared, tmp_path, first)
    assert "run the same command again" in caught.value.hint
    assert len(list(tmp_path.glob("*.json"))) == 5
    second = _Interrupted(10**6)
    assert _carry_out(prepared, tmp_path, second) == report
    assert len(second.done) == len(prepared.parts) - 5
    assert not set(map(id, first.done)) & set(map(id, second.done))
    third = _Interrupted(0)
    assert _carry_out(prepared, tmp_path, third) == report
    assert third.done == []


def test_a_damaged_part_is_done_again(prepared: Prepared, report: Report, tmp_path: Path) -> None:
    _carry_out(prepared, tmp_path, Here())
    victim = sorted(tmp_path.glob("*.json"))[3]
    victim.write_text(victim.read_text()[:-20])
    again = _Interrupted(10**6)
    assert _carry_out(prepared, tmp_path, again) == report
    assert len(again.done) == 1


def test_other_conditions_are_other_parts(prepared: Prepared, tmp_path: Path) -> None:
    store = Store(tmp_path, SPEC)
    run(prepared.parts, SPEC, store, Here(), Silent())
    other = make_plan(prepared.corpus, [parse_condition("tv@9")], seed=1)
    assert not any(store.has(part) for part in other.clips)
    assert all(store.has(part) for part in other.streams)


def test_damaged_and_silent_recordings_are_named_and_the_rest_is_measured(tmp_path: Path) -> None:
    root = build_corpus(tmp_path / "corpus")
    write(root / "positives/beep/silence.wav", np.zeros(RATE))
    write(root / "negatives/tv/silence.wav", np.zeros(10 * RATE))
    cut = write(root / "negatives/tv/00_cut.flac", hum(0.3, 60.0))
    cut.write_bytes(cut.read_bytes()[:900_000])
    prepared = prepare(root, SPEC, ["clean"], seed=1)
    report = _carry_out(prepared, tmp_path / "parts", Here())
    reasons = {note.name: note.text for note in report.skipped}
    assert reasons["positives/beep/silence.wav"] == "it is silent"
    assert reasons["negatives/tv/silence.wav"] == "it is silent"
    assert (
        "damaged" in reasons["negatives/tv/00_cut.flac"]
        or "midway" in reasons["negatives/tv/00_cut.flac"]
    )
    assert len(reasons) == 3
    shipped = report.models[0].shipped
    assert {kind.kind: kind.count for kind in shipped.kinds} == {"music": 1, "tv": 2}
    assert shipped.misses[0].clips == 8


def test_a_corpus_of_nothing_but_silence_is_an_error(tmp_path: Path) -> None:
    write(tmp_path / "corpus/positives/beep/silence.wav", np.zeros(RATE))
    prepared = prepare(tmp_path / "corpus", SPEC, ["clean"], seed=1)
    with pytest.raises(NothingMeasuredError, match="it is silent"):
        _carry_out(prepared, tmp_path / "parts", Here())


def test_stretches_are_one_long_listening(tmp_path: Path) -> None:
    """A beep that ends one stretch and goes on in the next is one wake, as when heard in one."""
    edge = np.concatenate([hum(0.01, 39.7), beep(0.2, 0.7)[1600:-1600]])[: 40 * RATE]
    write(tmp_path / "negatives/tv/0.wav", edge)
    after = np.concatenate([beep(0.2, 0.4)[1600:-1600], hum(0.01, 39.6, 1)])
    write(tmp_path / "negatives/tv/1.wav", after)
    prepared = prepare(tmp_path, SPEC, [], seed=0)
    assert [len(part.files) for part in prepared.plan.streams] == [1, 1]
    report = _carry_out(prepared, tmp_path / "parts", Here())
    (accept,) = report.models[0].shipped.false_accepts
    assert accept.file == "negatives/tv/0.wav"
    assert accept.seconds == pytest.approx(39.8, abs=0.1)


def test_a_stretch_hears_the_end_of_the_one_before(tmp_path: Path) -> None:
    for number in range(2):
        write(tmp_path / f"negatives/tv/{number}.wav", listening(40.0, {}, number))
    corpus = load_corpus(tmp_path, {WORD})
    first, second = make_plan(corpus, [], 0).streams
    assert isinstance(second, StreamPart)
    assert first.run_in is None
    assert second.run_in == first.files[0]
    result = hear(second, LoudEngine())
    assert isinstance(result, StreamResult)
    (trace,) = result.traces
    assert trace.first_hop < -900
    assert trace.count_from == 0
    last = trace.first_hop + trace.stride * (len(trace.probabilities) - 1)
    assert 40 * RATE // HOP - trace.stride < last <= 40 * RATE // HOP


def test_what_is_drawn_depends_on_contents_alone(tmp_path: Path) -> None:
    root = build_corpus(tmp_path)
    conditions = [parse_condition("tv@10"), parse_condition("tv@5")]
    before = make_plan(load_corpus(root, {WORD}), conditions, seed=3)
    (root / "positives/beep/0.wav").unlink()
    (root / "positives/beep/5.wav").rename(root / "positives/beep/zz.wav")
    fewer = make_plan(load_corpus(root, {WORD}), conditions, seed=3)
    drawn = {part.clip.sha256: part.hearings for part in before.clips}
    assert len(fewer.clips) == 7
    assert all(drawn[part.clip.sha256] == part.hearings for part in fewer.clips)
    ten, five = before.clips[0].hearings
    assert ten.noises == five.noises
    other = make_plan(load_corpus(root, {WORD}), conditions, seed=4)
    assert other.clips[0].hearings[0].noises != fewer.clips[0].hearings[0].noises
    assert isinstance(before.clips[0], ClipPart)


@pytest.mark.parametrize("text", ["clean", "near", "far", "tv@10", "tv@-5", "far+tv@2.5"])
def test_conditions_read_as_they_are_written(text: str) -> None:
    assert parse_condition(text).name == text


@pytest.mark.parametrize("text", ["", "loud", "tv", "tv@", "far+", "fartv@5", "+tv@5", "far+clean"])
def test_conditions_that_make_no_sense(text: str) -> None:
    with pytest.raises(ConditionError, match="can't be read"):
        parse_condition(text)


def test_noise_that_the_corpus_lacks(prepared: Prepared) -> None:
    with pytest.raises(ConditionError, match="music, tv"):
        make_plan(prepared.corpus, [parse_condition("rain@10")], 0)
