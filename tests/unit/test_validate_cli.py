"""The command: what it writes, what it says, its exit codes, and how it is interrupted."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from bluering.validate.report.schema import read_report, write_report
from tests.peers import peer
from tests.unit.validate_reports import SOME, clips, report
from tests.unit.validate_world import beep, write

GATE_CORPUS = Path(__file__).parents[1] / "gate" / "corpus"
BLUERING = Path(sys.executable).with_name("bluering")
_UNUSABLE = {
    "positives/alexa/silence.wav": "it is silent",
    "positives/alexa/short.wav": "shorter than one window",
    "positives/alexa/corrupt.flac": "it cannot be decoded",
    "negatives/music": "the folder holds no audio file",
    "negatives/noise/stereo.mp3": "44100 Hz, 2 channel(s), MP3, not 16 kHz mono",
}


def _run(*arguments: object, code: int = 0) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [BLUERING, "validate", *map(str, arguments)], capture_output=True, text=True, timeout=300
    )
    assert done.returncode == code, done.stderr
    return done


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Half of the synthesised corpus, with inputs that can't be used."""
    root = tmp_path / "corpus"
    shutil.copytree(GATE_CORPUS, root)
    for path in sorted(root.glob("positives/alexa/*"))[::2]:
        path.unlink()
    write(root / "positives/alexa/silence.wav", np.zeros(16_000))
    write(root / "positives/alexa/short.wav", beep(0.2)[:300])
    (root / "positives/alexa/corrupt.flac").write_bytes(b"fLaC" + bytes(500))
    (root / "negatives/music").mkdir()
    tone = beep(0.2, 3.0, 44_100)
    write(root / "negatives/noise/stereo.mp3", np.stack([tone, tone], axis=1), 44_100)
    return root


def test_it_measures_the_rest_and_says_what_it_skipped(corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "alexa"
    options = ["--model", peer("alexa"), "--corpus", corpus, "-o", output, "--condition", "clean"]
    more = ["--condition", "noise@5", "--worst", 2, "--save-false-accepts", tmp_path / "cut"]
    done = _run(*options, *more, "--omit-names", "--json", code=3)
    found = read_report(output.with_suffix(".json"))
    assert json.loads(done.stdout) == found.model_dump(mode="json")
    reasons = {note.name: note.text for note in found.skipped}
    assert reasons.keys() == _UNUSABLE.keys()
    for name, reason in _UNUSABLE.items():
        assert reason in reasons[name]
        assert f"skipped {name}: {reasons[name]}" in done.stderr
    (model,) = found.models
    assert [curve.clips for curve in model.miss_curves] == [12, 12]
    assert all(clip.file == "" and len(clip.id) == 16 for clip in model.clips)
    assert model.cutoff == 229
    page = output.with_suffix(".html").read_text()
    assert all(f"<code>{name}</code>" in page for name in _UNUSABLE)
    assert "Worst cases" in page
    assert 'src="data:audio/flac' in page
    cut = sorted((tmp_path / "cut").glob("alexa_001_score*.wav"))
    assert len(cut) == (1 if model.listed_false_accepts() else 0)


def test_what_is_not_16_khz_mono_is_measured_when_asked(corpus: Path, tmp_path: Path) -> None:
    output = tmp_path / "alexa"
    options = ["--model", "alexa", "--corpus", corpus, "-o", output, "--condition", "clean"]
    done = _run(*options, "--convert", code=3)
    found = read_report(output.with_suffix(".json"))
    name = "negatives/noise/stereo.mp3"
    assert name not in {note.name for note in found.skipped}
    assert [note.name for note in found.converted] == [name]
    assert f"{name}: converted to 16 kHz mono" in done.stderr
    assert f"<code>{name}</code>" in output.with_suffix(".html").read_text()


def test_a_file_that_a_manifest_names_and_that_is_gone(tmp_path: Path) -> None:
    write(tmp_path / "word.wav", beep(0.2))
    manifest = tmp_path / "manifest.csv"
    manifest.write_text("path,label,set\nword.wav,alexa,positives\ngone.wav,tv,negatives\n")
    output = tmp_path / "report"
    options = ["--model", "alexa", "--corpus", manifest, "-o", output, "--condition", "clean"]
    assert "skipped gone.wav: there is no such file" in _run(*options, code=3).stderr
    found = read_report(output.with_suffix(".json"))
    assert [note.name for note in found.skipped] == ["gone.wav"]
    assert found.models[0].shipped.misses[0].clips == 1


def test_an_interrupt_keeps_what_is_finished(tmp_path: Path) -> None:
    options = ["--model", "alexa", "--corpus", GATE_CORPUS, "-o", tmp_path / "r", "--jobs", 2]
    conditions = ["--condition", "far", "--condition", "far+noise@5"]
    command = [BLUERING, "validate", *options, *conditions]
    process = subprocess.Popen(
        list(map(str, command)), stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    parts = tmp_path / "r.parts"
    while process.poll() is None and not list(parts.glob("*.json")):
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to the workers, too
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "run the same command again" in said
    assert "Traceback" not in said
    kept = {path: path.stat().st_mtime_ns for path in parts.glob("*.json")}
    assert 0 < len(kept) < 26
    assert not list(parts.glob("*.part"))
    _run(*options, *conditions)
    assert len(list(parts.glob("*.json"))) == 26
    assert all(path.stat().st_mtime_ns == at for path, at in kept.items())


def test_the_gate_fails_with_a_sentence(tmp_path: Path) -> None:
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    write_report(report(clips(3), SOME), old)
    write_report(report(clips(12), SOME), new)
    assert "passes" in _run("gate", old, "--baseline", old).stdout
    done = _run("gate", new, "--baseline", old, code=1)
    assert "FAILS" in done.stdout
    assert "beep: recall, clean" in done.stderr
    assert "Traceback" not in done.stderr


def test_two_reports_are_compared_and_drawn(tmp_path: Path) -> None:
    a, b, page = tmp_path / "a.json", tmp_path / "b.json", tmp_path / "page.html"
    write_report(report(clips(3), SOME), a)
    write_report(report(clips(30), SOME), b)
    done = _run("compare", a, b, "--json", "-o", page)
    (pair,) = json.loads(done.stdout)
    assert [d["real"] for d in pair["differences"]] == [True, False, False]
    assert "<svg" in page.read_text()
    assert "real" in _run("compare", a, b).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--model", "alexa"], 2, "--corpus"),
        (["--model", "nobody", "--corpus", "."], 1, "no packaged model 'nobody'"),
        (["--model", "alexa", "--corpus", "nowhere"], 1, "no corpus at nowhere"),
        (
            ["--model", "alexa", "--corpus", str(GATE_CORPUS), "--target", "moon"],
            1,
            "there is no port moon",
        ),
        (["compare", "a.json", "b.json"], 1, "can't be read"),
    ],
)
def test_mistakes_are_told_in_a_sentence(
    arguments: list[str], code: int, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = _run(*arguments, code=code)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
