"""The teacher: its embeddings, its training, and lessons that are aligned in time."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bluering.training.augment import embeddings
from bluering.training.augment.streams import Stream
from bluering.training.augment.tracks import FRAMES, MOMENTS, NOWHERE, Tracks
from bluering.training.cache import read_arrays, write_arrays
from bluering.training.fit.lessons import Lesson, Lessons, distillation_loss, joined
from bluering.training.fit.teacher import (
    CONTEXT,
    SURE,
    Teacher,
    rows_of_moments,
    teach,
    train_teacher,
)

NOISE = np.random.default_rng(1).integers(-3000, 3000, 6 * 16000).astype(np.int16)


def _embedded(count: int, seed: int, moments: int = MOMENTS) -> embeddings.Embeddings:
    shape = (count, moments, embeddings.SIZE)
    return np.random.default_rng(seed).normal(size=shape).astype(np.float16)


def _tracks(count: int, word: bool, seed: int) -> Tracks:
    embedded = _embedded(count, seed)
    rows = rows_of_moments()
    if word:  # said from row 200 to row 240
        within = (rows >= 205) & (rows <= 250)
        embedded[:, CONTEXT - 1 :][:, within, :8] += 3
    place = np.full(count, 200 if word else NOWHERE, np.int16)
    end = np.full(count, 240 if word else NOWHERE, np.int16)
    nothing = np.zeros(count, np.float32)
    features = np.zeros((count, FRAMES, 40), np.uint8)
    return Tracks(features, place, end, np.zeros(count, np.int32), nothing, nothing, embedded)


def _stream(moments: int, seed: int) -> Stream:
    rows = embeddings.FIRST + moments * embeddings.EVERY
    return Stream("talk", np.zeros((rows, 40), np.uint8), _embedded(1, seed, moments)[0])


def test_embeddings_of_long_recordings_are_the_same_in_pieces(monkeypatch) -> None:
    whole = embeddings.embeddings(NOISE)
    monkeypatch.setattr(embeddings, "_LENGTHS", 140)
    assert np.array_equal(embeddings.embeddings(NOISE), whole)
    assert whole.shape == ((len(NOISE) // 160 - 3 - 76) // 8 + 1, embeddings.SIZE)


def test_a_moment_ends_with_its_row() -> None:
    """An embedding changes with sound in its row, but not with what comes later."""
    other = NOISE.copy()
    sample = 3 * 16000
    other[sample:] //= 7
    differs = (embeddings.embeddings(NOISE) != embeddings.embeddings(other)).any(axis=1)
    first = embeddings.FIRST + embeddings.EVERY * int(np.argmax(differs))
    # A row of features ends 480 samples after it begins.
    assert 0 <= first - (sample - 480) / 160 <= embeddings.EVERY + 1
    assert differs[np.argmax(differs) :].all()


def test_a_recording_that_is_too_short_has_no_embedding() -> None:
    assert embeddings.embeddings(np.zeros(3000, np.int16)).shape == (0, embeddings.SIZE)
    assert teach(Teacher(), embeddings.no_embeddings()).shape == (0,)


def test_it_learns_an_easy_word_reproducibly() -> None:
    said: list[str] = []

    def noted(_done: int, _total: int, line: str) -> None:
        said.append(line)

    def learned() -> Teacher:
        return train_teacher(
            _tracks(80, True, 1), _tracks(80, False, 2), [_stream(400, 3)], 1, 60, noted
        )

    net, again = learned(), learned()
    word, other = _tracks(20, True, 4), _tracks(20, False, 5)
    loud = [max(teach(net, x)) for x in word.embedded]
    quiet = [max(teach(net, x)) for x in other.embedded]
    assert np.median(loud) > np.median(quiet) + 2
    assert said[0].startswith("words ")
    assert all(torch.equal(net.state_dict()[n], v) for n, v in again.state_dict().items())


def test_training_is_reproducible_with_any_number_of_threads() -> None:
    material = (_tracks(80, True, 1), _tracks(80, False, 2), [_stream(400, 3)])

    def learned(threads: int) -> torch.Tensor:
        net = train_teacher(*material, 1, 8, lambda *_: None, threads)
        assert torch.get_num_threads() == threads
        return next(net.layers.parameters()).detach()

    once, together = learned(1), learned(2)
    assert torch.equal(learned(2), together)
    assert torch.equal(learned(1), once)


def test_it_averages_the_last_three_quarters_of_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    passed: list[torch.Tensor] = []
    step = torch.optim.AdamW.step

    def noted(optimiser: torch.optim.AdamW) -> None:
        step(optimiser)
        passed.append(optimiser.param_groups[0]["params"][0].detach().clone())

    monkeypatch.setattr(torch.optim.AdamW, "step", noted)
    material = (_tracks(20, True, 1), _tracks(20, False, 2), [_stream(100, 3)])
    net = train_teacher(*material, 1, 8, lambda *_: None)
    torch.testing.assert_close(next(net.layers.parameters()), torch.stack(passed[2:]).mean(0))


def test_logits_of_long_recordings_are_the_same_in_pieces() -> None:
    torch.manual_seed(1)
    net = Teacher().eval()
    embedded = _embedded(1, 1, 5000)[0]
    at_once = net(torch.from_numpy(embedded[None]).float())[0].detach().numpy()
    np.testing.assert_allclose(teach(net, embedded), at_once, atol=1e-4)


@pytest.fixture
def teacher() -> Teacher:
    torch.manual_seed(1)
    return Teacher().eval()


@pytest.fixture
def lessons(teacher: Teacher) -> Lessons:
    return Lessons.by(
        teacher, _tracks(3, True, 1), _tracks(4, False, 4), [_stream(500, 2), _stream(300, 3)]
    )


def test_lessons_of_streams_are_aligned_with_their_rows(lessons: Lessons, teacher: Teacher) -> None:
    streams = [_stream(500, 2), _stream(300, 3)]
    starts = np.array([0, 1234, len(streams[0].rows) + 700])
    lesson = lessons.of_streams(starts)
    assert lesson.rows.max() < FRAMES
    for n, start in enumerate(starts):
        which = 1 if start >= len(streams[0].rows) else 0
        base = len(streams[0].rows) * which
        moments, rest = np.divmod(
            lesson.rows[n] + start - base - embeddings.FIRST, embeddings.EVERY
        )
        assert (rest == 0).all()
        said = teach(teacher, streams[which].embedded)
        assert np.array_equal(lesson.logits[n], said[moments - CONTEXT + 1])


def test_lessons_of_tracks_are_the_teachers_logits(lessons: Lessons, teacher: Teacher) -> None:
    for word, of, seed in ((True, lessons.of_words, 1), (False, lessons.of_others, 4)):
        embedded = _tracks(3 if word else 4, word, seed).embedded
        lesson = of(np.array([2, 0]))
        for n, track in enumerate((2, 0)):
            said = teach(teacher, embedded[track])[-lesson.logits.shape[1] :]
            np.testing.assert_allclose(lesson.logits[n], said, atol=1e-4)


def test_lessons_are_loaded_as_saved(lessons: Lessons, tmp_path: Path) -> None:
    write_arrays(lessons, tmp_path / "lessons.npz")
    again = read_arrays(Lessons, tmp_path / "lessons.npz")
    for name, value in vars(lessons).items():
        assert np.array_equal(getattr(again, name), value)


def test_there_is_no_target_before_the_first_moment() -> None:
    lessons = Lessons.by(
        Teacher().eval(), _tracks(0, True, 1), _tracks(0, False, 2), [_stream(20, 1)]
    )
    lesson = lessons.of_streams(np.array([0]))
    known = lesson.rows[0] < FRAMES
    assert known.sum() == 20 - CONTEXT + 1
    assert np.array_equal(lesson.rows[0][known], 75 + 8 * np.arange(CONTEXT - 1, 20))


def test_the_loss_of_the_same_logits_is_zero(lessons: Lessons) -> None:
    lesson = joined([lessons.of_words(np.array([0, 2]))])
    ends = torch.arange(0, FRAMES)
    steps = torch.from_numpy(lesson.rows + 2)
    logits = torch.full((2, FRAMES), 99.0).scatter(1, steps, torch.from_numpy(lesson.logits))
    assert distillation_loss(lesson, logits, ends).item() == 0.0
    assert distillation_loss(lesson, logits + 1, ends).item() > 0.05


def test_moments_that_may_be_the_word_weigh_most() -> None:
    lesson = Lesson.of(np.array([[100, 300]]), np.array([[-6.0, 2.0]], np.float32))
    right = torch.full((1, FRAMES), -6.0)
    right[0, 302] = 2.0
    for row, error, least, most in ((102, 1.0, 0, 0.05), (302, 1.0, 0.4, 1), (102, 6.0, 2.0, 3)):
        logits = right.clone()
        logits[0, row] += error
        assert least < distillation_loss(lesson, logits, torch.arange(FRAMES)).item() < most, (
            row,
            error,
        )


def test_targets_are_clamped() -> None:
    lesson = Lesson.of(np.array([[300]]), np.array([[40.0]], np.float32))
    logits = torch.full((1, FRAMES), SURE)
    assert distillation_loss(lesson, logits, torch.arange(FRAMES)).item() == 0.0


def test_targets_within_a_word_only_raise() -> None:
    rows = np.array([[100, 200, 300], [100, 200, 300]])
    lesson = Lesson.of(rows, np.full((2, 3), -4.0, np.float32))
    raised = lesson.raised(np.array([150.0, 400.0]), np.array([310.0, 500.0]))
    assert raised.raising.tolist() == [[False, True, True], [False, False, False]]
    ends = torch.arange(150, 330, 3)
    logits = torch.zeros((2, len(ends)), requires_grad=True)

    def pushed(lesson: Lesson) -> list[int]:
        """How many outputs of each track the loss would lower."""
        (gradient,) = torch.autograd.grad(distillation_loss(lesson, logits, ends), logits)
        return (gradient > 0).sum(1).tolist()

    assert pushed(lesson) == [2, 2]
    assert pushed(raised) == [0, 2]
    louder = Lesson.of(rows, np.full((2, 3), 4.0, np.float32)).raised(np.zeros(2), np.full(2, 400))
    (gradient,) = torch.autograd.grad(distillation_loss(louder, logits, ends), logits)
    assert np.count_nonzero(gradient.numpy() < 0) == 4
