"""On MicroPython, in place of main.py: the firmware, with a fault that ends it in 0.2 s."""

from ear import app, boot

cycle = app.App.cycle


def cycle_or_crash(self):
    """The application's own cycle, for twenty hops."""
    if self.heard() >= 20:
        raise ValueError("crashed on purpose")
    return cycle(self)


app.App.cycle = cycle_or_crash
boot.main()
