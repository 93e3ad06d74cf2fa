"""Phonetic distance, and warnings about phrases."""

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
def test_more_similar_phrases_are_nearer(wanted: str, nearer: str, farther: str) -> None:
    assert _distance(nearer, wanted) < _distance(farther, wanted)


def test_the_distance_to_the_word_itself_is_zero() -> None:
    assert _distance("alexa", "alexa") == 0.0


def test_substitution_costs_are_symmetric() -> None:
    assert substitution("T", "D") == substitution("D", "T") < substitution("T", "M")
    assert substitution("T", "IY") == 1.0


def test_look_alikes_are_sorted_and_never_contain_the_word() -> None:
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
def test_homophones_in_some_accents(text: str, wanted: str, same: bool) -> None:
    assert sounds_same(text, pronunciations(wanted)) is same


def test_homophones_are_marked_and_warned_about() -> None:
    assert {look.phrase for look in look_alikes("computer", 120) if look.same} == {"compute a"}
    assert "compute a" in {look.phrase for look in near_homophones("computer")}


def test_an_unknown_word_names_the_remedy() -> None:
    with pytest.raises(TrainingError, match="confusables"):
        pronunciations("xyzzyq")


@pytest.mark.parametrize(("phrase", "said"), [("echo", "3 sounds"), ("people", "million words")])
def test_a_poor_phrase_gives_a_warning(phrase: str, said: str) -> None:
    assert any(said in warning for warning in warnings(phrase))


def test_a_good_phrase_gives_none() -> None:
    assert warnings("hey juniper") == []


def test_a_short_word_has_more_near_homophones() -> None:
    assert len(near_homophones("echo")) > len(near_homophones("hey juniper"))
