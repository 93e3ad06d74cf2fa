"""What reviewers do with clips, who gets which, and what becomes of them."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from sqlalchemy import func, select

from bluering.review import assignments, labels, owner, server
from bluering.review.agreement import agreement, kappa
from bluering.review.assignments import Work
from bluering.review.auth.logins import Visitor
from bluering.review.desk import Desk
from bluering.review.errors import RefusedError, ReviewError
from bluering.review.export import export
from bluering.review.labels import FALSE, REAL, UNSURE, Answer, GoneError
from bluering.review.models import (
    DISTRESS,
    OWNER,
    QUARANTINED,
    REVIEWER,
    Account,
    AuditEntry,
    Clip,
    FalseWake,
    Label,
)
from bluering.vault.errors import DamagedError
from bluering.vault.models import DELETED, Recording, Wake
from tests.unit import vault_world
from tests.unit.review_world import clock_of, fill, open_desk


@pytest.fixture
def both(database_url: str | None) -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder, database_url) as desk:
        _set_up(desk)
        yield desk


@pytest.fixture
def desk() -> Iterator[Desk]:
    with vault_world.memory_folder() as folder, open_desk(folder) as desk:
        _set_up(desk)
        yield desk


def _set_up(desk: Desk) -> None:
    fill(desk, 400)
    _rule(desk)
    with desk.act() as act:
        for name in ("ann", "ben", "cid"):
            act.session.add(
                Account(
                    id=name,
                    name=name,
                    pseudonym=f"reviewer-{name}",
                    role=REVIEWER,
                    active=True,
                    totp_step=0,
                    made_at=act.now,
                )
            )


def _rule(desk: Desk, hourly_cap: int = 60, second_share: int = 0) -> None:
    rules = {"open": True, "share": 10_000, "disguise": False}
    with desk.act() as act:
        owner.set_policy(act, OWNER, hourly_cap=hourly_cap, second_share=second_share, **rules)


def _who(name: str) -> Visitor:
    return Visitor(name, f"reviewer-{name}", REVIEWER, "", "", enrolling=False, fresh=False)


def _next(desk: Desk, name: str) -> Work:
    with desk.act() as act:
        work = assignments.next_work(act, _who(name))
    assert isinstance(work, Work), work
    return work


def _stop(desk: Desk, name: str) -> str:
    with desk.act() as act:
        work = assignments.next_work(act, _who(name))
    assert isinstance(work, str), work
    return work


def _label(desk: Desk, name: str, clip_id: str, verdict: str, cause: str = "a lexus") -> None:
    with desk.act() as act:
        answer = Answer(verdict, cause, "television", "what was said")
        labels.label(act, _who(name), clip_id, answer)


def _recording(desk: Desk, work: Work) -> Recording:
    with desk.reading() as session:
        return session.get_one(Recording, work.recording.id)


def test_a_reviewer_has_one_clip_until_done_with_it(desk: Desk):
    first = _next(desk, "ann")
    assert _next(desk, "ann").clip.id == first.clip.id
    _label(desk, "ann", first.clip.id, REAL)
    assert _next(desk, "ann").clip.id != first.clip.id
    assert first.clip.id not in first.recording.id


def test_a_false_wake_is_counted_and_its_sound_and_labels_deleted(both: Desk):
    work = _next(both, "ann")
    _label(both, "ann", work.clip.id, FALSE, "A  Lexus")
    gone = _recording(both, work)
    assert (gone.state, gone.deleted_why, gone.wrapped_key) == (DELETED, "false wake", None)
    assert not both.vault.blobs.path(gone.id).exists()
    with both.reading() as session:
        assert session.scalars(select(func.count()).select_from(Label)).one() == 0
        assert session.scalars(select(func.count()).select_from(Clip)).one() == 0
        [counted] = session.scalars(select(FalseWake))
        assert (counted.cause, counted.noise, counted.score) == ("a lexus", "television", 250)
        assert session.get_one(Wake, gone.wake_id).false_by == "review"


def test_the_hourly_cap_survives_deletion(both: Desk):
    _rule(both, hourly_cap=3)
    for _ in range(3):
        _label(both, "ann", _next(both, "ann").clip.id, FALSE)
    assert _stop(both, "ann") == assignments.CAP
    _next(both, "ben")
    clock_of(both).forward(minutes=61)
    _next(both, "ann")


@pytest.mark.parametrize("state", [QUARANTINED, DISTRESS])
def test_a_flagged_clip_is_the_owners_alone(desk: Desk, state: str):
    _rule(desk, second_share=100)
    work = _next(desk, "ann")
    with desk.act() as act:
        labels.flag(act, _who("ann"), work.clip.id, state)
    assert _next(desk, "ann").clip.id != work.clip.id
    assert _next(desk, "ben").clip.id != work.clip.id
    with desk.reading() as session:
        seen = owner.overview(session)
    flagged = {QUARANTINED: seen.quarantined, DISTRESS: seen.distress}
    assert flagged == {QUARANTINED: [], DISTRESS: [], state: [work.recording.id]}


def test_a_flag_that_was_dealt_with_leaves_the_list_but_not_the_owner(desk: Desk):
    work = _next(desk, "ann")
    with desk.act() as act:
        labels.flag(act, _who("ann"), work.clip.id, DISTRESS)
    with desk.act() as act:
        owner.settle(act, OWNER, work.recording.id)
    with desk.reading() as session:
        assert owner.overview(session).distress == []
    assert _next(desk, "ben").clip.id != work.clip.id
    with pytest.raises(RefusedError), desk.act() as act:
        owner.settle(act, OWNER, work.recording.id)


def test_a_skipped_clip_goes_to_somebody_else(desk: Desk):
    work = _next(desk, "ann")
    with desk.act() as act:
        labels.skip(act, _who("ann"), work.clip.id)
    assert _next(desk, "ann").clip.id != work.clip.id
    assert _next(desk, "ben").clip.id == work.clip.id


def test_other_peoples_clips_are_out_of_reach(desk: Desk):
    work = _next(desk, "ann")
    with pytest.raises(GoneError):
        _label(desk, "ben", work.clip.id, REAL)
    _label(desk, "ann", work.clip.id, REAL)
    with pytest.raises(GoneError):
        _label(desk, "ann", work.clip.id, REAL)


def test_answers_that_make_no_sense_are_refused(desk: Desk):
    work = _next(desk, "ann")
    for answer in (
        Answer("maybe", "", "none", ""),
        Answer(REAL, "", "thunder", ""),
        Answer(FALSE, "<b>", "none", ""),
        Answer(FALSE, "x" * 41, "none", ""),
        Answer(REAL, "", "none", "x" * 1001),
    ):
        with pytest.raises(RefusedError, match=r"letters|Choose"), desk.act() as act:
            labels.label(act, _who("ann"), work.clip.id, answer)


def test_who_disagrees_calls_a_third_who_decides(desk: Desk):
    _rule(desk, second_share=100)
    work = _next(desk, "ann")
    _label(desk, "ann", work.clip.id, FALSE)
    assert _recording(desk, work).state != DELETED
    assert _next(desk, "ben").clip.id == work.clip.id
    _label(desk, "ben", work.clip.id, REAL)
    assert _next(desk, "cid").clip.id == work.clip.id
    _label(desk, "cid", work.clip.id, FALSE)
    assert _recording(desk, work).state == DELETED
    with desk.reading() as session:
        assert agreement(session).clips == 1


def test_who_is_unsure_calls_a_second(desk: Desk):
    work = _next(desk, "ann")
    _label(desk, "ann", work.clip.id, UNSURE)
    assert _next(desk, "ben").clip.id == work.clip.id


def test_a_false_wake_waits_a_day_at_most_for_its_second_reviewer(desk: Desk):
    _rule(desk, second_share=100)
    work = _next(desk, "ann")
    _label(desk, "ann", work.clip.id, FALSE)
    for hours, state in ((23, "stored"), (2, DELETED)):
        clock_of(desk).forward(hours=hours)
        server.tidy(desk)
        assert _recording(desk, work).state == state


def test_who_leaves_in_the_middle_holds_nothing_up(desk: Desk):
    work = _next(desk, "ann")
    clock_of(desk).forward(minutes=31)
    assert _next(desk, "ben").clip.id == work.clip.id


def test_withdrawn_consent_takes_the_clip_away_at_once(both: Desk):
    work = _next(both, "ann")
    with both.act() as act:
        owner.withdraw(act, OWNER, work.recording.id)
    with both.reading() as session:
        assert assignments.held(session, "ann", work.clip.id) is None
    with pytest.raises(GoneError):
        _label(both, "ann", work.clip.id, REAL)


def test_nothing_is_reviewed_before_the_owner_allows_it(desk: Desk):
    with desk.act() as act:
        owner.withdraw_all(act, OWNER)
    assert _stop(desk, "ann") == assignments.CLOSED


def test_deleting_a_recording_removes_its_labels_whoever_deletes_it(both: Desk):
    work = _next(both, "ann")
    _label(both, "ann", work.clip.id, REAL)
    both.vault.delete([work.recording.id], "owner")
    with both.reading() as session:
        assert session.scalars(select(func.count()).select_from(Label)).one() == 0
        assert session.scalars(select(func.count()).select_from(Clip)).one() == 0


def test_every_access_is_on_record_under_a_pseudonym(desk: Desk):
    work = _next(desk, "ann")
    _label(desk, "ann", work.clip.id, REAL)
    with desk.reading() as session:
        rows = owner.accesses(session, work.recording.id)
        seen = [(row.actor, row.action, row.why) for row in rows]
        facts = "".join(session.scalars(select(AuditEntry.facts)))
    assert seen == [
        ("system", "draw", "random sample"),
        ("reviewer-ann", "assign", "random sample"),
        ("reviewer-ann", "label", "review"),
    ]
    assert "what was said" not in facts


def test_transcripts_are_encrypted_in_the_database(desk: Desk):
    work = _next(desk, "ann")
    _label(desk, "ann", work.clip.id, REAL)
    with desk.reading() as session:
        [kept] = session.scalars(select(Label))
    assert b"what was said" not in kept.transcript
    place = labels.transcript_place(work.clip)
    assert desk.seal.open(kept.transcript, place) == b"what was said"
    with pytest.raises(ReviewError):
        desk.seal.open(kept.transcript, "transcript of another clip")


def test_kappa():
    assert kappa({}) is None
    assert kappa({(REAL, REAL): 5}) is None
    assert kappa({(REAL, REAL): 5, (FALSE, FALSE): 5}) == 1
    # Cohen's own kind of example: 20 + 15 of 50 agree, 0.7 observed, 0.5 expected.
    table = {(REAL, REAL): 20, (REAL, FALSE): 5, (FALSE, REAL): 10, (FALSE, FALSE): 15}
    assert kappa(table) == pytest.approx(0.4)


def test_export_has_labels_and_scores_and_only_granted_sound(desk: Desk, tmp_path: Path):
    made = []
    for verdict in (REAL, REAL, FALSE):
        made.append(_next(desk, "ann"))
        _label(desk, "ann", made[-1].clip.id, verdict)
    with desk.act() as act:
        owner.grant(act, OWNER, made[0].recording.id, granted=True)
    done = export(desk, tmp_path / "out")
    assert (done.labels, done.false_wakes, done.sounds) == (2, 1, 1)
    text = (tmp_path / "out" / "labels.jsonl").read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert sorted(line["verdict"] for line in lines) == [FALSE, REAL, REAL]
    assert all((line["score"], line["cutoff"]) == (250, 240) for line in lines)
    [sound] = (tmp_path / "out").glob("*.wav")
    assert sound.stem in {line.get("id") for line in lines}
    assert soundfile.info(sound).frames == 16000
    [features] = (tmp_path / "out").glob("*.npy")
    assert features.name == f"{sound.stem}.features.npy"
    rows = np.load(features)
    assert (rows.shape, rows.dtype) == ((98, 40), np.uint8)
    for secret in (*(work.recording.id for work in made), *(work.clip.id for work in made)):
        assert secret not in text
    assert "what was said" not in text
    counts = json.loads((tmp_path / "out" / "false_wakes.json").read_text())
    assert counts["by_cause"] == {"a lexus": 1}
    with pytest.raises(ReviewError, match="out exists already") as refused:
        export(desk, tmp_path / "out")
    assert "new folder" in refused.value.hint
    desk.vault.blobs.path(made[0].recording.id).unlink()
    with pytest.raises(DamagedError):
        export(desk, tmp_path / "again")
    assert not list(tmp_path.glob("*again*"))
