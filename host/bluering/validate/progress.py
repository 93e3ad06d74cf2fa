"""How far a run is and how long it will still take, on a terminal's standard error."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    TaskID,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from bluering.validate.plan import Part


class Bar:
    """A bar in hours of audio; use it as a context manager. Off a terminal it shows nothing."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            TaskProgressColumn(),
            TextColumn("{task.fields[hours]}"),
            TimeElapsedColumn(),
            TextColumn("left:"),
            TimeRemainingColumn(),
            console=console,
            transient=True,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None
        self._heard = self._total = 0.0

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._progress.stop()

    def begin(self, done: list[Part], todo: list[Part]) -> None:
        """What an earlier run has finished counts as heard, not as speed."""
        self._heard = sum(part.seconds for part in done)
        self._total = self._heard + sum(part.seconds for part in todo)
        self._task = self._progress.add_task("listening", total=self._total, hours=self._hours())
        self._progress.reset(self._task, completed=round(self._heard), hours=self._hours())

    def advance(self, part: Part) -> None:
        self._heard += part.seconds
        if self._task is not None:
            self._progress.update(self._task, completed=self._heard, hours=self._hours())

    def _hours(self) -> str:
        return f"{self._heard / 3600:.2f} of {self._total / 3600:.2f} h of audio"
