"""Stands in for ``time``: a look at the clock is a builtin that finds it a step further on.

So a program takes the same ways on every computer, however slow. A step is longer than what the
microphone takes for waiting, and shorter than what its buffer holds.
"""

import os

from utime import *

ticks_us = iter(range(0, 1 << 30, int(os.getenv("BLUERING_CLOCK_STEP")))).__next__
