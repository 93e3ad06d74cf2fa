"""What a board heard of the scene, beside what there was to hear."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich import box
from rich.table import Table

from bluering.demo import Truth, Utterance
from bluering.link.records import Wake
from ear.audio.format import HOPS_PER_SECOND

_LATEST_S = 1.5  # a wake later than this after its word belongs to something else


@dataclass(frozen=True)
class Call:
    """A wake word in the scene, and the wake that answered it, if one did."""

    said: Utterance
    wake: Wake | None

    @property
    def delay_ms(self) -> int | None:
        """From the word's end to the blue ring, in milliseconds of sound; negative: before it."""
        if self.wake is None:
            return None
        return round(1000 * (seconds(self.wake) - self.said.end))


@dataclass(frozen=True)
class Outcome:
    """Every call with its answer, and the wakes that nobody called for."""

    calls: list[Call]
    uncalled: list[Wake]

    @property
    def perfect(self) -> bool:
        """Every call answered, and nothing else."""
        return not self.uncalled and all(call.wake for call in self.calls)


def seconds(wake: Wake) -> float:
    """When the board woke, in seconds of sound."""
    return wake.position / HOPS_PER_SECOND


def compare(truth: Truth, wakes: Iterable[Wake], names: dict[str, str]) -> Outcome:
    """Match wakes with calls; ``names`` gives for each model the word as it names itself."""
    left = list(wakes)
    calls = []
    for said in truth.calls:
        wake = next((w for w in left if _answers(w, said, names)), None)
        if wake:
            left.remove(wake)
        calls.append(Call(said, wake))
    return Outcome(calls, left)


def _answers(wake: Wake, said: Utterance, names: dict[str, str]) -> bool:
    assert said.word
    in_time = said.start < seconds(wake) < said.end + _LATEST_S
    return in_time and wake.name == names[said.word]


def table(outcome: Outcome) -> Table:
    """The outcome for a terminal: until when each call was said, and when the ring answered."""
    grid = Table(title="what was heard", title_justify="left", box=box.SIMPLE_HEAD, pad_edge=False)
    grid.add_column("said", no_wrap=True)
    grid.add_column("by", no_wrap=True)
    grid.add_column("until", justify="right", no_wrap=True)
    grid.add_column("ring blue", justify="right", no_wrap=True)
    grid.add_column("delay", justify="right", no_wrap=True)
    grid.add_column("score", justify="right", no_wrap=True)
    for call in outcome.calls:
        grid.add_row(
            f'"{call.said.text}"',
            call.said.voice,
            f"{call.said.end:.2f} s",
            f"[blue]{seconds(call.wake):.2f} s[/]" if call.wake else "[red]missed[/]",
            f"{call.delay_ms} ms" if call.wake else "",
            f"{call.wake.score / 255:.2f}" if call.wake else "",
        )
    for wake in outcome.uncalled:
        when = f"[red]{seconds(wake):.2f} s[/]"
        grid.add_row("[red]nobody called[/]", "", "", when, "", f"{wake.score / 255:.2f}")
    return grid
