"""What a corpus announces is read, checked, and named when it can't be used."""

import hashlib
from pathlib import Path

import numpy as np
import pytest

from bluering.validate.corpus import Corpus, CorpusError, load_corpus, slug
from tests.unit.validate_world import WORD, beep, build_corpus, hum, write


def _reasons(corpus: Corpus) -> dict[str, str]:
    return {note.name: note.text for note in corpus.skipped}


def test_a_folder_tells_words_and_kinds_by_its_subfolders(tmp_path: Path) -> None:
    build_corpus(tmp_path)
    write(tmp_path / "positives/other_word/0.wav", beep(0.1))
    corpus = load_corpus(tmp_path, {WORD})
    assert sum(r.positive for r in corpus.recordings) == 8
    assert corpus.kinds() == ["music", "tv"]
    assert corpus.skipped == []
    assert {r.label for r in corpus.recordings if r.positive} == {WORD}


def test_every_unusable_input_is_named_with_its_reason(tmp_path: Path) -> None:
    build_corpus(tmp_path)
    (tmp_path / "negatives/speech").mkdir()
    write(tmp_path / "positives/beep/short.wav", beep(0.2)[:300])
    (tmp_path / "positives/beep/broken.flac").write_bytes(b"fLaC" + bytes(500))
    write(tmp_path / "positives/beep/stereo.mp3", np.stack([beep(0.2, 1.0, 44_100)] * 2, 1), 44_100)
    write(tmp_path / "positives/beep/twin.wav", beep(0.06))
    corpus = load_corpus(tmp_path, {WORD})
    reasons = _reasons(corpus)
    assert "holds no audio" in reasons["negatives/speech"]
    assert "shorter than one window" in reasons["positives/beep/short.wav"]
    assert "cannot be decoded" in reasons["positives/beep/broken.flac"]
    assert "same recording as positives/beep/0.wav" in reasons["positives/beep/twin.wav"]
    assert "44100 Hz, 2 channel(s), MP3, not 16 kHz mono" in reasons["positives/beep/stereo.mp3"]
    assert len(reasons) == 5
    assert corpus.converted == []
    assert len(corpus.recordings) == 8 + 5


def test_what_is_not_16_khz_mono_is_converted_when_asked(tmp_path: Path) -> None:
    build_corpus(tmp_path)
    write(tmp_path / "positives/beep/stereo.mp3", np.stack([beep(0.2, 1.0, 44_100)] * 2, 1), 44_100)
    corpus = load_corpus(tmp_path, {WORD}, convert=True)
    assert corpus.skipped == []
    assert [note.name for note in corpus.converted] == ["positives/beep/stereo.mp3"]
    assert "from 44100 Hz, 2 channel(s)" in corpus.converted[0].text
    assert len(corpus.recordings) == 8 + 1 + 5


def test_a_manifest_names_its_files_and_their_hashes(tmp_path: Path) -> None:
    good, changed = (write(tmp_path / f"{i}.wav", beep(0.1 + 0.1 * i)) for i in range(2))
    digest = hashlib.sha256(good.read_bytes()).hexdigest()
    (tmp_path / "manifest.csv").write_text(
        "path,label,set,sha256\n"
        f"0.wav,Beep,positives,{digest}\n1.wav,beep,positives,{digest}\ngone.wav,tv,negatives,\n"
    )
    corpus = load_corpus(tmp_path, {WORD})
    assert [r.name for r in corpus.recordings] == ["0.wav"]
    assert corpus.recordings[0].sha256 == digest
    assert "SHA-256 differs" in _reasons(corpus)[changed.name]
    assert "no such file" in _reasons(corpus)["gone.wav"]


def test_a_description_collects_files_from_anywhere(tmp_path: Path) -> None:
    write(tmp_path / "a/x.wav", beep(0.1))
    write(tmp_path / "b/c/y.wav", hum(0.01, 5.0))
    description = tmp_path / "home.toml"
    description.write_text(
        '[[positives]]\nword = "Beep"\nfiles = ["a/*.wav"]\n'
        '[[negatives]]\nkind = "tv"\nfiles = ["b/**/*.wav", "d/*.wav"]\n'
    )
    corpus = load_corpus(description, {WORD})
    assert [(r.name, r.label) for r in corpus.recordings] == [
        ("a/x.wav", "beep"),
        ("b/c/y.wav", "tv"),
    ]
    assert _reasons(corpus) == {"d/*.wav": "no file matches"}


def test_a_manifest_slices_its_positives(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path / f"{number}.wav", beep(0.1 + 0.1 * number))
    (tmp_path / "manifest.csv").write_text(
        "path,label,set,slice_speed,speaker,slice_level\n"
        "0.wav,beep,positives, slow ,ann,soft\n1.wav,beep,positives,,bob,loud\n"
        "2.wav,tv,negatives,slow,,\n"
    )
    assert [r.slices for r in load_corpus(tmp_path, {WORD}).recordings] == [
        (("speed", "slow"), ("level", "soft")),
        (("level", "loud"),),
        (),
    ]


def test_a_description_slices_its_positives(tmp_path: Path) -> None:
    write(tmp_path / "slow/x.wav", beep(0.1))
    write(tmp_path / "plain/y.wav", beep(0.2))
    description = tmp_path / "words.toml"
    slow = (
        '[[positives]]\nword = "beep"\nfiles = ["slow/*"]\nslices = { speed = "slow", take = 2 }\n'
    )
    description.write_text(slow + '[[positives]]\nword = "beep"\nfiles = ["plain/*"]\n')
    assert [r.slices for r in load_corpus(description, {WORD}).recordings] == [
        (("speed", "slow"), ("take", "2")),
        (),
    ]


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("m.csv", "path,label\nx.wav,beep\n", "lacks the column"),
        ("m.csv", "path,label,set\nx.wav,beep,both\n", "line 2"),
        ("m.csv", "path,label,set\n", "names no recording"),
        ("m.csv", "path,label,set\nx.wav,beep,positives\n", "x.wav: there is no such file"),
        ("m.toml", "[[positives]]\nfiles=['x']\n", "needs word"),
        ("m.toml", "[[positives\n", "can't be read"),
        ("m.toml", "[[positives]]\nword='x'\nfiles=[]\nslices=1\n", "must be a table"),
    ],
)
def test_a_corpus_that_is_none_says_why(tmp_path: Path, name: str, text: str, reason: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(CorpusError, match=reason):
        load_corpus(path, {WORD})


def test_an_empty_folder_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="no recording"):
        load_corpus(tmp_path, {WORD})
    with pytest.raises(CorpusError, match="there is no corpus"):
        load_corpus(tmp_path / "nowhere", {WORD})


def test_labels_are_compared_without_case_and_spaces() -> None:
    assert slug("Okay Nabu") == slug("okay_nabu") == "okay_nabu"
