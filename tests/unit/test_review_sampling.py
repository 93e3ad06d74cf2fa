"""The sample: bounded, fair, and only of recordings whose owner opted in."""

from collections import Counter
from collections.abc import Iterator
from itertools import islice

import pytest
from sqlalchemy import func, select

from bluering.review import owner
from bluering.review.desk import Desk
from bluering.review.errors import RefusedError
from bluering.review.models import Clip
from bluering.review.sampling import draw, picks, population, room
from bluering.vault.models import Recording
from tests.bench.sampling import sample
from tests.unit import vault_world
from tests.unit.review_world import fill, open_desk

_DRAWS = 100_000


@pytest.fixture
def desk() -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder) as desk:
        yield desk


def _draw_all(desk: Desk) -> int:
    """Draws until there is no room; returns how many."""
    count = 0
    with desk.act() as act:
        while draw(act):
            count += 1
    return count


def _set_share(desk: Desk, share: int) -> None:
    rules = {"hourly_cap": 60, "second_share": 0, "disguise": False}
    with desk.act() as act:
        owner.set_policy(act, "owner", open=True, share=share, **rules)


def test_the_share_is_never_exceeded(desk: Desk):
    fill(desk, 999)
    assert _draw_all(desk) == 1  # 0.2 % of 999, rounded down
    fill(desk, 1, tag="a")
    assert _draw_all(desk) == 1
    _set_share(desk, 10_000)
    assert _draw_all(desk) == 8
    assert _draw_all(desk) == 0


def test_deleting_what_was_drawn_frees_no_place(desk: Desk):
    fill(desk, 500)
    _set_share(desk, 10_000)
    for _ in range(5):
        with desk.act() as act:
            clip = draw(act)
            assert clip
            act.bury(act.session.get_one(Recording, clip.recording_id), "system", "false wake")
    assert _draw_all(desk) == 0


def test_what_was_deleted_unheard_counts_but_saves_nothing_up(desk: Desk):
    ids = fill(desk, 600)
    desk.vault.delete(ids[:500], "retention")
    _set_share(desk, 10_000)
    with desk.reading() as session:
        assert (
            room(session, population(session), 10_000) == 1
        )  # 1 % of the 100 that are there, not of 600


def test_only_those_that_opted_in_are_drawn(desk: Desk):
    fill(desk, 400, review=False, tag="b")
    allowed = set(fill(desk, 300, tag="c"))
    _set_share(desk, 10_000)
    assert _draw_all(desk) == 3
    with desk.reading() as session:
        assert set(session.scalars(select(Clip.recording_id))) <= allowed


def test_withdrawn_recordings_are_no_longer_drawn(desk: Desk):
    fill(desk, 500)
    _set_share(desk, 10_000)
    with desk.act() as act:
        owner.withdraw_all(act, "owner")
    assert _draw_all(desk) == 0
    with desk.reading() as session:
        assert next(picks(session, population(session)), None) is None


@pytest.mark.parametrize("share", [10_001, -1, 1_000_000])
def test_the_hard_ceiling_holds(desk: Desk, share: int):
    with pytest.raises(RefusedError, match="1 %"):
        _set_share(desk, share)


def test_a_clip_is_never_drawn_twice(desk: Desk):
    fill(desk, 100)
    with desk.act() as act:
        for recording_id in act.session.scalars(select(Recording.id).limit(99)).all():
            act.session.add(
                Clip(
                    id=recording_id,
                    recording_id=recording_id,
                    state="done",
                    wanted=1,
                    drawn_at=act.now,
                )
            )
    with desk.reading() as session:
        [left] = set(islice(picks(session, population(session)), 10))
        drawn = session.scalars(select(func.count()).where(Clip.recording_id == left)).one()
    assert drawn == 0


@pytest.mark.slow
def test_no_device_is_favoured(desk: Desk, record_property):
    """Pearson's chi-square over 100,000 draws; a fair draw fails once in a million runs."""
    stats = pytest.importorskip("scipy.stats", reason="scipy isn't installed")
    sizes = {"1": 20, "2": 50, "3": 30, "4": 100}
    for tag, count in sizes.items():
        fill(desk, count, devices=1, tag=tag)
    with desk.reading() as session:
        devices = dict(session.execute(select(Recording.id, Recording.device)).all())
        drawn = Counter(islice(picks(session, population(session)), _DRAWS))
    by_device = Counter()
    for recording_id, count in drawn.items():
        by_device[devices[recording_id][0]] += count
    total = sum(sizes.values())
    expected = [_DRAWS * count / total for count in sizes.values()]
    device_p = stats.chisquare([by_device[tag] for tag in sizes], expected).pvalue
    clip_p = stats.chisquare([drawn[name] for name in devices]).pvalue
    record_property("p of devices", float(device_p))
    record_property("p of recordings", float(clip_p))
    assert min(device_p, clip_p) > 1e-6


def test_many_vaults_are_drawn_from_fairly_and_no_more_than_their_share(desk: Desk):
    """The sample that ``tests.bench.sampling`` takes for 100,000 draws, in small."""
    pytest.importorskip("scipy.stats", reason="scipy isn't installed")
    for tag, count in {"1": 50, "2": 350, "3": 100}.items():
        fill(desk, count, devices=1, tag=tag)
    _set_share(desk, 10_000)
    found = sample(desk, 500)
    assert (found.counts, found.vaults) == ({5}, 100)
    assert set(found.by_device()) == {"1", "2", "3"}
    assert min(found.p_values()) > 1e-6
