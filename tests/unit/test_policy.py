"""The owner's policy: off unless they said otherwise."""

import pytest

from ear.privacy import policy
from ear.settings import SettingError, Settings

NOON = 12 * 60


@pytest.fixture
def settings(tmp_path) -> Settings:
    return Settings(str(tmp_path / "settings.json"))


def test_nothing_is_recorded_or_reviewed_by_default(settings: Settings):
    assert not policy.may_record(settings, NOON)
    assert settings.get("review") is False
    assert settings.get("pre_roll") is False
    assert (settings.get("retention_days"), settings.get("longest_s")) == (30, 8)


def test_a_spoilt_file_allows_nothing(settings: Settings, tmp_path):
    settings.set("record", True)
    (tmp_path / "settings.json").write_text('{"record": tru')
    again = Settings(str(tmp_path / "settings.json"))
    assert again.load()
    assert not policy.may_record(again, NOON)


@pytest.mark.parametrize(
    ("start", "end", "minute", "allowed"),
    [
        (-1, -1, NOON, True),
        (-1, -1, -1, True),
        (22 * 60, 7 * 60, 23 * 60, False),
        (22 * 60, 7 * 60, 6 * 60 + 59, False),
        (22 * 60, 7 * 60, 7 * 60, True),
        (22 * 60, 7 * 60, 21 * 60 + 59, True),
        (9 * 60, 17 * 60, NOON, False),
        (9 * 60, 17 * 60, 18 * 60, True),
        (9 * 60, 17 * 60, -1, False),  # quiet hours, but nobody told the time
    ],
)
def test_quiet_hours(settings: Settings, start: int, end: int, minute: int, allowed: bool):
    settings.set("record", True)
    settings.set("quiet_from", start)
    settings.set("quiet_to", end)
    assert policy.may_record(settings, minute) is allowed


@pytest.mark.parametrize(("name", "value"), [("longest_s", 61), ("retention_days", 0)])
def test_limits(settings: Settings, name: str, value: int):
    with pytest.raises(SettingError):
        settings.set(name, value)
