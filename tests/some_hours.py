"""So many hours of negatives, where all of a corpus would take too long."""

from collections.abc import Sequence

from bluering.validate.plan import StreamPart


def some_hours(streams: Sequence[StreamPart], hours: float) -> tuple[StreamPart, ...]:
    """Whole stretches of all kinds in turn until there are as many hours, or all of them.

    They keep their order, and so each its stretch before as run-in.
    """
    turns: dict[str, int] = {}
    ranked = []
    for place, part in enumerate(streams):
        turns[part.kind] = turns.get(part.kind, -1) + 1
        ranked.append((turns[part.kind], place))
    chosen: list[int] = []
    seconds = 0.0
    for _, place in sorted(ranked):
        if seconds >= hours * 3600:
            break
        seconds += streams[place].seconds
        chosen.append(place)
    return tuple(streams[place] for place in sorted(chosen))
