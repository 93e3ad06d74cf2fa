"""Progress of a validation that nobody watches."""

from bluering.validate.plan import Part


class Silent:
    """As bluering.validate.progress.Bar, without the bar."""

    def begin(self, done: list[Part], todo: list[Part]) -> None:
        """Says nothing."""

    def advance(self, part: Part) -> None:
        """Says nothing."""
