"""The owner's settings: what there is to set, and how it outlives a power cut.

The table is declared once; device and host both read it. Values are JSON: whole numbers,
true or false, or a list of words. A file holds only what differs from the defaults.
"""

import json
import os

PATH = "settings.json"
_ASIDE = ".new"

NUMBER = 0
SWITCH = 1
WORDS = 2

_DAY_MINUTES = 24 * 60


class Setting:
    """One setting's declaration: its kind, its default and, for a number, its range."""

    def __init__(self, name, kind, default, low=0, high=0):
        self.name = name
        self.kind = kind
        self.default = default
        self.low = low
        self.high = high


SETTINGS = (
    Setting("words", WORDS, []),
    Setting("brightness", NUMBER, 255, 1, 255),
    Setting("night_from", NUMBER, -1, -1, 1439),
    Setting("night_to", NUMBER, -1, -1, 1439),
    # The owner's policy. Nothing is recorded, and nothing reviewed, unless they say so.
    Setting("record", SWITCH, False),
    Setting("review", SWITCH, False),
    Setting("pre_roll", SWITCH, False),
    Setting("retention_days", NUMBER, 30, 1, 3650),
    Setting("longest_s", NUMBER, 8, 1, 60),
    Setting("quiet_from", NUMBER, -1, -1, 1439),
    Setting("quiet_to", NUMBER, -1, -1, 1439),
)

# A cutoff for one word: "cutoff.alexa", 0..255; -1 is the manifest's.
CUTOFF_PREFIX = "cutoff."
_CUTOFF = Setting(CUTOFF_PREFIX, NUMBER, -1, -1, 255)


if __debug__:  # for people: the compiled firmware does without
    MEANINGS = {
        "words": "words to listen for; none named: all that are on the board",
        "brightness": "share of the board's highest brightness",
        "night_from": "minute of the day when the ring dims; -1: never",
        "night_to": "minute of the day when it brightens again",
        "record": "whether what follows a wake is recorded",
        "review": "whether people may review recordings",
        "pre_roll": "whether half a second before the wake is recorded too",
        "retention_days": "days after which a recording is deleted",
        "longest_s": "seconds after which a recording ends",
        "quiet_from": "minute of the day when recording stops; -1: never",
        "quiet_to": "minute of the day when it may begin again",
        "cutoff.": "cutoff of one word; -1: its manifest's",
    }


class SettingError(Exception):
    """There is no such setting, or it can't have that value; says which and why."""


def declaration(name):
    """The declaration of a setting. Raises SettingError."""
    if name.startswith(CUTOFF_PREFIX) and len(name) > len(CUTOFF_PREFIX):
        return _CUTOFF
    for setting in SETTINGS:
        if setting.name == name:
            return setting
    raise SettingError(f"there is no setting {name}")


def check(name, value):
    """Raise SettingError when a setting can't have a value."""
    setting = declaration(name)
    if setting.kind == SWITCH:
        if not isinstance(value, bool):
            raise SettingError(f"{name} is true or false, not {value}")
    elif setting.kind == WORDS:
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise SettingError(f"{name} is a list of words, not {value}")
    elif isinstance(value, bool) or not isinstance(value, int):
        raise SettingError(f"{name} is a whole number, not {value}")
    elif not setting.low <= value <= setting.high:
        raise SettingError(f"{name} is {setting.low} to {setting.high}, not {value}")


def is_within(minute, start, end):
    """Whether a minute of the day lies in the hours from start to end, midnight included."""
    if start < 0 or end < 0 or start == end:
        return False
    return (minute - start) % _DAY_MINUTES < (end - start) % _DAY_MINUTES


class Settings:
    """The settings of a device, kept in one file."""

    def __init__(self, path=PATH):
        self._path = path
        self._changed = {}

    def load(self):
        """Read the file, if there is one; returns what is wrong with it, or ""."""
        try:
            with open(self._path) as file:
                changed = json.load(file)
            if not isinstance(changed, dict):
                raise ValueError("it holds no settings")
            for name in changed:
                check(name, changed[name])
        except OSError:
            return ""
        except (ValueError, SettingError) as error:
            return f"{self._path} can't be used, the defaults hold: {error}"
        self._changed = changed
        return ""

    def get(self, name):
        """A setting's value. Raises SettingError."""
        default = declaration(name).default
        return self._changed.get(name, default)

    def set(self, name, value):
        """Change a setting for good: once this returns, a power cut can't take it back.

        A cut before that leaves the old values whole: the file is written aside, then renamed.
        Raises SettingError, or OSError when it can't be written; then nothing has changed.
        """
        check(name, value)
        changed = dict(self._changed)
        if value == declaration(name).default:
            changed.pop(name, None)
        else:
            changed[name] = value
        aside = self._path + _ASIDE
        with open(aside, "w") as file:
            file.write(json.dumps(changed))
        os.rename(aside, self._path)
        self._changed = changed

    def names(self):
        """All settings' names: the declared ones, then the cutoffs that were set."""
        declared = [setting.name for setting in SETTINGS]
        return declared + sorted(name for name in self._changed if name not in declared)
