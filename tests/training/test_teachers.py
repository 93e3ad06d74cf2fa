"""Several teachers: trained at once or in turn, kept, and heard together."""

from pathlib import Path

import pytest
import torch

from bluering.training import embeddings
from bluering.training.stages import write_streams, write_tracks
from bluering.training.teacher import train_teacher
from bluering.training.teachers import COUNT, Course, Teachers, taught
from bluering.training.tracks import MOMENTS
from tests.training.easy import easy_tracks, talk

STEPS = 12


@pytest.fixture
def course(tmp_path: Path) -> Course:
    """A word that is easy to hear, and nothing like it."""
    tracks = {
        "word": (easy_tracks(40, True, 1), tmp_path / "word-1.npz"),
        "look_alike": (easy_tracks(40, False, 2), tmp_path / "look_alike-1.npz"),
        "held_out": (easy_tracks(4, True, 4), tmp_path / "held_out-1.npz"),
    }
    for made, path in tracks.values():
        write_tracks(made, path)
    write_streams([talk(300, 3)], tmp_path / "talk.npz")
    files = {kind: [path] for kind, (_, path) in tracks.items()}
    return Course(files, [tmp_path / "talk.npz"], 5, STEPS)


def _weights(net: torch.nn.Module) -> torch.Tensor:
    return torch.cat([value.flatten().float() for value in net.state_dict().values()])


def test_they_say_their_mean() -> None:
    teachers = Teachers().eval()
    embedded = torch.randn(2, MOMENTS, embeddings.SIZE)
    alone = [teacher(embedded) for teacher in teachers.each]
    assert not torch.equal(*alone[:2])
    torch.testing.assert_close(teachers(embedded), sum(alone) / COUNT)


def test_at_once_or_in_turn_they_become_the_same(course: Course, tmp_path: Path) -> None:
    said: dict[int, list[tuple[int, int]]] = {1: [], 2: []}
    made = {}
    for jobs in (1, 2):
        told = lambda step, total, _, jobs=jobs: said[jobs].append((step, total))  # noqa: E731
        made[jobs] = taught(course, tmp_path / str(jobs), jobs, told)
    assert torch.equal(_weights(made[1]), _weights(made[2]))
    assert said[1] == [(n + 1, COUNT * STEPS) for n in range(COUNT * STEPS)]
    assert said[2] == [(n + 1, STEPS) for n in range(STEPS)]


def test_they_differ_by_the_seed_alone(course: Course, tmp_path: Path) -> None:
    teachers = taught(course, tmp_path / "kept", 1, lambda *_: None)
    for number, teacher in enumerate(teachers.each):
        material = (easy_tracks(40, True, 1), easy_tracks(40, False, 2), [talk(300, 3)])
        same = train_teacher(*material, course.seed + number, STEPS, lambda *_: None)
        assert torch.equal(_weights(teacher), _weights(same))


def test_who_is_trained_already_is_kept(course: Course, tmp_path: Path) -> None:
    before = taught(course, tmp_path / "kept", 1, lambda *_: None)
    first, *_ = sorted((tmp_path / "kept").glob("*.teacher.pt"))
    first.unlink()
    said = []
    after = taught(course, tmp_path / "kept", 2, lambda *line: said.append(line))
    assert len(said) == STEPS
    assert torch.equal(_weights(before), _weights(after))
    assert taught(course, tmp_path / "kept", 2, lambda *line: said.append(line)) is not None
    assert len(said) == STEPS


def test_other_material_is_another_course(course: Course, tmp_path: Path) -> None:
    more = Course(course.tracks, [*course.streams, tmp_path / "more.npz"], course.seed, STEPS)
    longer = Course(course.tracks, course.streams, course.seed, STEPS + 1)
    assert len({course.key(), more.key(), longer.key()}) == 3
