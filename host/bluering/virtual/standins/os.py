"""Stands in for ``os`` on the virtual board, so that writing a file takes the time of flash."""

import uos
import utime
from uos import *

_WRITE_MS = int(uos.getenv("BLUERING_FLASH_WRITE_MS") or 0)


def rename(old, new):
    uos.rename(old, new)
    utime.sleep_ms(_WRITE_MS)
