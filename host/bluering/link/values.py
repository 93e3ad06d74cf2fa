"""Settings as people write them."""

import json
import re

from bluering.errors import BlueRingError
from ear.settings import CUTOFF_PREFIX, SWITCH, WORDS, Setting, SettingError, check, declaration

_SWITCH = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
_NEVER = -1  # of a time of day
_HIGHEST_CUTOFF = 255


class ValueTextError(BlueRingError):
    """A value that a setting can't have, or a setting that there isn't."""


def parse(name: str, text: str) -> object:
    """The value of a setting as JSON, or plainly.

    Plainly, words are separated by commas (``all``: those on the board), a switch is ``on`` or
    ``off``, a time of day ``22:30`` or ``never``, a cutoff a number of 0..255 or a fraction with a
    point, as ``0.97``. ``default`` is any setting's default. Raises ValueTextError.
    """
    try:
        setting = declaration(name)
        value = setting.default if text == "default" else _value(setting, text.strip())
        check(name, value)
    except SettingError as error:
        raise ValueTextError(str(error), "'bluering config get' lists the settings") from error
    return value


def _value(setting: Setting, text: str) -> object:
    if setting.kind == SWITCH:
        return _SWITCH.get(text.lower(), text)
    if setting.kind == WORDS and not text.startswith("["):
        return [] if text == "all" else [word.strip() for word in text.split(",")]
    clock = re.fullmatch(r"(\d\d?):(\d\d)", text)
    if clock and int(clock[2]) < 60:
        return 60 * int(clock[1]) + int(clock[2])
    if text == "never":
        return _NEVER
    try:
        value = json.loads(text)
    except ValueError:
        return text
    if setting.name == CUTOFF_PREFIX and isinstance(value, float) and 0 <= value <= 1:
        return int(value * _HIGHEST_CUTOFF)  # as in a model's manifest
    return value
