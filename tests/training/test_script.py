"""Recipes, and the scripts drawn from them."""

from pathlib import Path

import pytest

from bluering.training.errors import TrainingError
from bluering.training.recipe import Clips, Recipe, Speech, find_recipe, read_recipe
from bluering.training.speak import script, speech
from bluering.training.speak.lookalikes import pronunciations, sounds_same
from bluering.training.speak.phones import ACCENTS, accented, for_kokoro

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "models" / "training"
SENTENCES = RECIPES / "sentences.txt"
VOICES = ("af_heart", "af_nova", "am_adam", "bf_lily", "ef_dora", "zm_yunxi")


@pytest.fixture(autouse=True)
def voices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(script, "voice_names", lambda: list(VOICES))


def _recipe(**counts: int) -> Recipe:
    clips = Clips(**counts)
    spoken = Speech(word=clips, look_alike=clips, sentence=clips, held_out=clips)
    return Recipe(phrase="computer", confusables=("commuter",), speech=spoken)


@pytest.mark.parametrize("kind", script.KINDS)
def test_a_longer_script_begins_with_the_shorter_one(kind: str) -> None:
    short = list(script.batches(_recipe(espeak=60, kokoro=50), kind, SENTENCES))
    long = list(script.batches(_recipe(espeak=100, kokoro=150), kind, SENTENCES))
    assert long[0] == short[0]
    espeak = [b for b in long if b.engine == "espeak"]
    shorter = [b for b in short if b.engine == "espeak"]
    assert espeak[1].utterances[:10] == shorter[1].utterances


def test_sentences_are_the_same_for_all_words() -> None:
    other = _recipe(espeak=50).model_copy(update={"phrase": "alexa"})
    assert list(script.batches(other, "sentence", SENTENCES)) == list(
        script.batches(_recipe(espeak=50), "sentence", SENTENCES)
    )


def test_some_words_have_a_lead_in() -> None:
    for kind in ("word", "look_alike", "held_out"):
        batches = list(script.batches(_recipe(espeak=300), kind, SENTENCES))
        led = [u for batch in batches for u in batch.utterances if u.lead]
        assert 0.15 < len(led) / 300 < 0.35
        assert all(u.spoken == f"{u.lead} {u.text}" for u in led)
    hey = _recipe(espeak=300).model_copy(update={"phrase": "hey echo"})
    utterances = [u for b in script.batches(hey, "word", SENTENCES) for u in b.utterances]
    assert not any(u.lead == "hey" for u in utterances)
    sentences = list(script.batches(_recipe(espeak=100), "sentence", SENTENCES))
    assert not any(u.lead for batch in sentences for u in batch.utterances)


def test_homophones_of_the_word_are_no_look_alikes() -> None:
    drawn = list(script.batches(_recipe(espeak=2000), "look_alike", SENTENCES))
    texts = {u.text.strip(".!?,") for batch in drawn for u in batch.utterances}
    assert {"compute", "computed"} <= texts
    assert "compute a" not in texts


def test_held_out_voices_are_not_trained_on() -> None:
    recipe = _recipe(espeak=200, kokoro=200)
    for kind in ("word", "look_alike", "sentence"):
        for batch in script.batches(recipe, kind, SENTENCES):
            for utterance in batch.utterances:
                assert not any(name in utterance.voice for name in script.HELD_OUT_KOKORO)
                assert utterance.voice.partition("+")[2] not in script.HELD_OUT_ESPEAK
    for batch in script.batches(recipe, "held_out", SENTENCES):
        for utterance in batch.utterances:
            held = script.HELD_OUT_KOKORO + script.HELD_OUT_ESPEAK
            assert any(name in utterance.voice for name in held)


def test_one_engine_is_only_held_out() -> None:
    asked = Recipe(phrase="computer").speech
    assert asked.held_out.flite > 0
    assert asked.word.flite == asked.look_alike.flite == asked.sentence.flite == 0


def test_an_engine_whose_package_is_missing_names_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(speech.ENGINES, "espeak", ("nowhere:Nobody", ("bluering-nobody",)))
    [batch] = script.batches(_recipe(espeak=3), "word", SENTENCES)
    with pytest.raises(TrainingError, match=r"bluering-nobody is missing.*bluering\[train\]"):
        speech.key(batch)


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_the_repositorys_recipes_are_valid(path: Path) -> None:
    assert read_recipe(path).name == path.stem


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("phrase = 'x1'", "phrase"),
        ("phrase = 'alexa'\nsteps = 3", "steps"),
        ("phrase = ", "isn't TOML"),
        ("phrase = 'alexa'\n[training]\nsteps = 0", "training.steps"),
    ],
)
def test_errors_name_the_recipe_and_its_fault(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "r.toml"
    path.write_text(text)
    with pytest.raises(TrainingError, match=said) as error:
        read_recipe(path)
    assert str(path) in str(error.value)


def test_a_word_is_a_recipe_s_name_or_any_phrase() -> None:
    assert find_recipe("Hey echo", RECIPES).pronunciations
    assert find_recipe("hey juniper", RECIPES) == Recipe(phrase="hey juniper")
    with pytest.raises(TrainingError, match="letters"):
        find_recipe("hal 9000", RECIPES)


def test_accents_change_sounds_and_keep_the_alphabet() -> None:
    import numpy as np

    rng = np.random.default_rng(1)
    plain = for_kokoro("ðə wˈɔːtɚ dʒˈʌdʒ", american=True)
    assert plain == "ðə wˈɔtəɹ ʤˈʌʤ"
    for name in ACCENTS:
        assert any(accented(plain, name, rng) != plain for _ in range(20)), name
    assert accented(plain, "", rng) == plain


@pytest.mark.parametrize("path", sorted(RECIPES.glob("*.toml")), ids=lambda path: path.stem)
def test_no_confusable_is_a_homophone_of_the_word(path: Path) -> None:
    recipe = read_recipe(path)
    wanted = pronunciations(recipe.phrase)
    known = [text for text in recipe.confusables if _in_dictionary(text)]
    assert len(known) > 20
    assert not [text for text in known if sounds_same(text, wanted)]


def _in_dictionary(text: str) -> bool:
    try:
        return bool(pronunciations(text))
    except TrainingError:
        return False
