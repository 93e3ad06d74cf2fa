"""The root of every failure that a user can cause or mend."""


class BlueRingError(Exception):
    """What failed, the likely cause and the next step, in words for the person at the terminal."""

    exit_code = 1
