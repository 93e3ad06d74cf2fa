"""On MicroPython, in place of main.py: the firmware, with a fault that ends it in 0.2 s."""

from ear import app, boot

hop = app.App.hop


def hop_or_crash(self):
    """The application's own hop, twenty times."""
    if self.heard() == 20:
        raise ValueError("crashed on purpose")
    return hop(self)


app.App.hop = hop_or_crash
boot.main()
