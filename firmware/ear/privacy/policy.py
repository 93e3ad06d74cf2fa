"""What the owner allows, read from the settings (``ear.settings``)."""

from ear.settings import is_within


def may_record(settings, minute):
    """Whether a wake may be recorded at this minute of the day; -1: the time isn't known.

    Where there are quiet hours and no known time, the answer is no.
    """
    if not settings.get("record"):
        return False
    start, end = settings.get("quiet_from"), settings.get("quiet_to")
    if start < 0 or end < 0:
        return True
    return minute >= 0 and not is_within(minute, start, end)
