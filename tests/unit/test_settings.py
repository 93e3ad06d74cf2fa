"""The owner's settings: what they accept, and that no power cut harms them."""

import builtins
import json
from pathlib import Path

import pytest

from ear import settings
from ear.settings import SettingError, Settings


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("brightness", 1),
        ("brightness", 255),
        ("words", []),
        ("words", ["alexa", "computer"]),
        ("night_from", -1),
        ("cutoff.alexa", 230),
    ],
)
def test_a_value_is_kept(tmp_path: Path, name: str, value: object) -> None:
    path = str(tmp_path / "settings.json")
    Settings(path).set(name, value)
    again = Settings(path)
    assert again.load() == ""
    assert again.get(name) == value


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("brightness", 256, "brightness is 1 to 255, not 256"),
        ("brightness", True, "brightness is a whole number, not True"),
        ("brightness", "12", "brightness is a whole number, not 12"),
        ("words", "alexa", "words is a list of words, not alexa"),
        ("words", [1], "words is a list of words"),
        ("volume", 11, "there is no setting volume"),
        ("cutoff.", 11, "there is no setting cutoff."),
        ("cutoff.alexa", 300, "cutoff.alexa is -1 to 255, not 300"),
    ],
)
def test_a_wrong_value_is_refused_with_a_reason(
    tmp_path: Path, name: str, value: object, reason: str
) -> None:
    path = tmp_path / "settings.json"
    with pytest.raises(SettingError, match=reason):
        Settings(str(path)).set(name, value)
    assert not path.exists()


def test_defaults_are_valid() -> None:
    for setting in settings.SETTINGS:
        settings.check(setting.name, setting.default)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '"words"', "null", "3", '{"brightness": 1000}', '{"volume": 1}']
)
def test_a_spoilt_file_is_told_and_the_defaults_hold(tmp_path: Path, text: str) -> None:
    path = tmp_path / "settings.json"
    path.write_text(text)
    kept = Settings(str(path))
    fault = kept.load()
    assert "can't be used" in fault
    assert kept.get("brightness") == 255


class PowerCutError(Exception):
    """The lights go out."""


class CutFile:
    """A file whose writes stop after a number of bytes, as when the power goes."""

    def __init__(self, file, allowed: int) -> None:
        self._file = file
        self._allowed = allowed

    def __enter__(self) -> "CutFile":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def write(self, text: str) -> int:
        self._file.write(text[: self._allowed])
        if len(text) > self._allowed:
            raise PowerCutError
        return len(text)


def test_a_power_cut_at_any_byte_leaves_the_old_or_the_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    old = {"brightness": 7, "cutoff.alexa": 200}
    new = {**old, "words": ["alexa", "computer"]}
    real_open = builtins.open
    for allowed in range(len(json.dumps(new))):
        path.write_text(json.dumps(old))

        def cut_open(name, mode="r", allowed=allowed):
            file = real_open(name, mode)
            return CutFile(file, allowed) if "w" in mode else file

        kept = Settings(str(path))
        kept.load()
        with monkeypatch.context() as patch, pytest.raises(PowerCutError):
            patch.setattr(builtins, "open", cut_open)
            kept.set("words", ["alexa", "computer"])
        after_cut = Settings(str(path))
        assert after_cut.load() == ""
        assert {name: after_cut.get(name) for name in new} == {**old, "words": []}
        # What was left aside doesn't stand in the way of the next change.
        after_cut.set("words", ["alexa", "computer"])
        assert json.loads(path.read_text()) == new


def test_a_power_cut_before_the_rename_leaves_the_old(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "settings.json"
    kept = Settings(str(path))
    kept.set("brightness", 7)

    def cut(*_: object) -> None:
        raise PowerCutError

    with monkeypatch.context() as patch, pytest.raises(PowerCutError):
        patch.setattr(settings.os, "rename", cut)
        kept.set("brightness", 9)
    again = Settings(str(path))
    assert again.load() == ""
    assert again.get("brightness") == 7


@pytest.mark.parametrize(
    ("minute", "start", "end", "within"),
    [
        (0, -1, -1, False),
        (0, 60, 60, False),
        (59, 60, 120, False),
        (60, 60, 120, True),
        (119, 60, 120, True),
        (120, 60, 120, False),
        (1400, 1320, 360, True),
        (0, 1320, 360, True),
        (359, 1320, 360, True),
        (360, 1320, 360, False),
        (720, 1320, 360, False),
    ],
)
def test_hours_may_include_midnight(minute: int, start: int, end: int, within: bool) -> None:
    assert settings.is_within(minute, start, end) is within
