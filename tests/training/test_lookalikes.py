"""Phonetic distance, and what a phrase is warned of."""

import pytest

from bluering.training.errors import TrainingError
from bluering.training.speak.lookalikes import (
    distance,
    look_alikes,
    near_homophones,
    pronunciations,
    sounds_same,
    substitution,
)
from bluering.training.speak.phrase import warnings


def _distance(phrase: str, wanted: str) -> float:
    return min(distance(a, b) for a in pronunciations(phrase) for b in pronunciations(wanted))


@pytest.mark.parametrize(
    ("wanted", "nearer", "farther"),
    [
        ("alexa", "election", "television"),
        ("alexa", "a nexus", "a letter"),
        ("computer", "commuter", "community"),
        ("computer", "computing", "composer"),
        ("echo", "gecko", "kitchen"),
        ("hey echo", "hayek oh", "hey siri"),
    ],
)
def test_what_sounds_more_alike_is_nearer(wanted: str, nearer: str, farther: str) -> None:
    assert _distance(nearer, wanted) < _distance(farther, wanted)


def test_the_word_itself_has_no_distance() -> None:
    assert _distance("alexa", "alexa") == 0.0


def test_a_substitution_costs_the_same_in_both_directions() -> None:
    assert substitution("T", "D") == substitution("D", "T") < substitution("T", "M")
    assert substitution("T", "IY") == 1.0


def test_look_alikes_are_near_first_and_never_contain_the_word() -> None:
    found = look_alikes("computer", 120)
    assert [look.distance for look in found] == sorted(look.distance for look in found)
    texts = {look.phrase for look in found}
    assert "commuter" in texts
    assert not texts & {"computer", "computers", "supercomputer"}


@pytest.mark.parametrize(
    ("text", "wanted", "same"),
    [
        ("compute a", "computer", True),  # without an R they are one
        ("will compute a number", "computer", True),
        ("computed", "computer", False),
        ("commuter", "computer", False),
        ("a lexus", "alexa", False),
        ("come", "computer", False),
    ],
)
def test_what_nobody_can_tell_apart(text: str, wanted: str, same: bool) -> None:
    assert sounds_same(text, pronunciations(wanted)) is same


def test_what_sounds_the_same_is_told_and_warned_of() -> None:
    assert {look.phrase for look in look_alikes("computer", 120) if look.same} == {"compute a"}
    assert "compute a" in {look.phrase for look in near_homophones("computer")}


def test_an_unknown_word_names_the_remedy() -> None:
    with pytest.raises(TrainingError, match="confusables"):
        pronunciations("xyzzyq")


@pytest.mark.parametrize(("phrase", "said"), [("echo", "3 sounds"), ("people", "million words")])
def test_a_poor_phrase_is_warned_of(phrase: str, said: str) -> None:
    assert any(said in warning for warning in warnings(phrase))


def test_a_good_phrase_is_not() -> None:
    assert warnings("hey juniper") == []


def test_a_short_word_is_crowded() -> None:
    assert len(near_homophones("echo")) > len(near_homophones("hey juniper"))
