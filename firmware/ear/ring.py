"""What state looks like which light.

The patterns are a table; drawing is integers only and allocates nothing. Blue belongs to one
state alone: it means that sound may leave the device.
"""

# State ids as they go over the link; new states are added at the end.
if __debug__:  # for people: the compiled firmware does without
    STATES = (
        "off",
        "starting",
        "listening",
        "blue",
        "muted",
        "bench",
        "error_model",
        "error_microphone",
        "error_memory",
        "safe_mode",
        "woken",
        "false_wake",
    )
OFF = 0
STARTING = 1
LISTENING = 2
BLUE = 3
MUTED = 4
BENCH = 5
ERROR_MODEL = 6
ERROR_MICROPHONE = 7
ERROR_MEMORY = 8
SAFE_MODE = 9
WOKEN = 10  # heard, and nothing will be recorded
FALSE_WAKE = 11  # marked as false, and what was recorded is being deleted

FRAME_HOPS = 4  # a frame every 40 ms: at most 25 writes a second

_SOLID = 0
_DOT = 1  # the first LED alone: alive, and nothing more to say
_SPIN = 2  # one lit LED walks round
_BLINKS = 3  # a number of blinks, then a pause: errors told apart by counting

_STILL = (_SOLID, _DOT)

# A still light is written once, except this one: a chain that loses its power or its colour in the
# middle of a recording gets it back within a frame, and one that can't be written is noticed.
_KEPT = (BLUE,)

_BLINK_FRAMES = 5  # 200 ms lit, 200 ms dark
_PAUSE_FRAMES = 25

# For each state: kind, red, green, blue, number of blinks.
_PATTERNS = (
    (_SOLID, 0, 0, 0, 0),
    (_SPIN, 90, 90, 90, 0),
    (_DOT, 12, 12, 12, 0),
    (_SOLID, 0, 0, 255, 0),
    (_SOLID, 160, 0, 0, 0),
    (_SPIN, 160, 0, 160, 0),
    (_BLINKS, 200, 60, 0, 2),
    (_BLINKS, 200, 60, 0, 3),
    (_BLINKS, 200, 60, 0, 4),
    (_BLINKS, 200, 200, 0, 1),
    (_SOLID, 60, 60, 60, 0),
    (_BLINKS, 60, 60, 60, 2),
)


def _lit(kind, blinks, frame, led, count):
    if kind == _SOLID:
        return True
    if kind == _DOT:
        return led == 0
    if kind == _SPIN:
        return led == frame % count
    phase = frame % (blinks * 2 * _BLINK_FRAMES + _PAUSE_FRAMES)
    return phase < blinks * 2 * _BLINK_FRAMES and phase // _BLINK_FRAMES % 2 == 0


def draw(state, frame, limit, pixels):
    """Draw one frame of a state into ``pixels``: red, green, blue for each LED, 0..255.

    ``frame`` counts from the moment the state began; ``limit`` (0..255) scales the brightness.
    """
    pattern = _PATTERNS[state]
    kind = pattern[0]
    count = len(pixels) // 3
    led = 0
    while led < count:
        lit = _lit(kind, pattern[4], frame, led, count)
        channel = 0
        while channel < 3:
            value = pattern[1 + channel] if lit else 0
            # Rounded up, so that a dim board still shows a lit LED.
            pixels[3 * led + channel] = (value * limit + 254) // 255
            channel += 1
        led += 1


def is_still(state):
    """Whether a state looks the same in every frame, so that one write is enough."""
    return _PATTERNS[state][0] in _STILL


class Ring:
    """The ring's shell: draws the state's pattern and writes it to the LEDs when it changed.

    ``leds`` has methods ``write(pixels)`` and ``write_again()``; ``count`` is their number (0 for
    a board without any); ``limit`` is the highest brightness, 0..255.
    """

    def __init__(self, leds, count, limit=255):
        self._leds = leds
        self._limit = limit
        self._hops = 0
        self._frame = 0
        self._still = self._kept = False
        self.state = OFF
        self.pixels = bytearray(3 * count)

    def show(self, state):
        """Change the state and write its first frame at once, before this call returns."""
        self.state = state
        self._hops = 0
        self._frame = 0
        self._still = is_still(state)
        self._kept = state in _KEPT
        self._write()

    def dim(self, limit):
        """Change the highest brightness (night dimming), 0..255."""
        if limit != self._limit:
            self._limit = limit
            self._write()

    def tick(self, hops=1):
        """Count hops; returns True when a frame is to be written."""
        if self._still and not self._kept:
            return False
        self._hops += hops
        if self._hops < FRAME_HOPS:
            return False
        self._hops = 0
        return True

    def write_frame(self):
        """Write the next frame; returns True when the LEDs show something new.

        Raises OSError, as ``show`` and ``dim`` do, when the LEDs can't be written.
        """
        if self._still:
            self._leds.write_again()
            return False
        self._frame = (self._frame + 1) & 0xFFFF
        self._write()
        return True

    def _write(self):
        draw(self.state, self._frame, self._limit, self.pixels)
        self._leds.write(self.pixels)
