"""Whether the sample is fair: over 100,000 drawn clips, is the share right, is a device favoured?

Run ``python -m tests.bench.sampling``. Vaults of 5,000 recordings, of four devices that recorded
unequally much, are drawn from until the share has no more room, again and again; each time the
drawing is taken back. Pearson's chi-square test compares how often each device, and each recording,
was drawn with what chance would give.
"""

import sys
from collections import Counter

from rich.console import Console
from rich.table import Table
from sqlalchemy import select, text

from bluering.review.desk import Act, Desk
from bluering.review.sampling import draw
from bluering.vault.models import Recording
from tests.unit import vault_world
from tests.unit.review_world import fill, open_desk
from tests.web.review_site import allow_review

DRAWS = 100_000
SHARE = 10_000  # millionths: the hard ceiling, which is the hardest to keep
SIZES = {"1": 250, "2": 1750, "3": 500, "4": 2500}
"""Recordings of each device."""


class Sample:
    """What was drawn in all vaults together."""

    def __init__(self, devices: dict[str, str]) -> None:
        self._devices = devices
        self.vaults = 0
        self.counts: set[int] = set()
        self.drawn: Counter[str] = Counter()

    def take(self, ids: list[str]) -> None:
        """One vault's."""
        self.vaults += 1
        self.counts.add(len(ids))
        self.drawn.update(ids)

    def by_device(self) -> dict[str, int]:
        """How often each was drawn."""
        counted = Counter[str]()
        for name, count in self.drawn.items():
            counted[self._devices[name]] += count
        return dict(sorted(counted.items()))

    def p_values(self) -> tuple[float, float]:
        """Of the devices, of the recordings: how likely chance is to differ as much."""
        from scipy import stats

        total = self.drawn.total()
        sizes = Counter(self._devices.values())
        counted = self.by_device()
        expected = [total * sizes[name] / sizes.total() for name in counted]
        devices = stats.chisquare(list(counted.values()), expected).pvalue
        recordings = stats.chisquare([self.drawn[name] for name in self._devices]).pvalue
        return float(devices), float(recordings)


def sample(desk: Desk, draws: int) -> Sample:
    """Draw as reviewers' pages do, from a vault that is as it was each time."""
    with desk.reading() as session, session.begin():
        rows = session.execute(select(Recording.id, Recording.device)).all()
        found = Sample({row[0]: row[1][0] for row in rows})
        while found.drawn.total() < draws:
            with session.begin_nested() as vault:
                act = Act(session, desk.clock(), desk.seal)
                clips = []
                while clip := draw(act):
                    clips.append(clip.recording_id)
                found.take(clips)
                vault.rollback()
    return found


def main() -> None:
    """Print the figures; exit 1 if the share is wrong or a device is favoured."""
    with vault_world.memory_folder() as folder, open_desk(folder) as desk:
        for device, count in SIZES.items():
            fill(desk, count, devices=1, tag=device)
        allow_review(desk, share=SHARE)
        with desk.vault.engine.connect() as connection:
            connection.execute(text("ANALYZE"))
        found = sample(desk, DRAWS)
    total = sum(SIZES.values())
    table = Table("device", "recordings", "share of all", "share of the draws", box=None)
    for device, count in found.by_device().items():
        table.add_row(
            device,
            str(SIZES[device]),
            f"{SIZES[device] / total:.3%}",
            f"{count / found.drawn.total():.3%}",
        )
    Console().print(table)
    devices, recordings = found.p_values()
    right = found.counts == {total * SHARE // 1_000_000}
    print(f"{found.drawn.total()} draws from {found.vaults} vaults, {found.counts} of {total} each")
    print(f"chi-square: p = {devices:.3f} for the devices, {recordings:.3f} for the recordings")
    sys.exit(None if right and min(devices, recordings) > 1e-6 else "the sample isn't fair")


if __name__ == "__main__":
    main()
