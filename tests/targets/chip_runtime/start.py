"""A start of the device, on the model of the chip's memory."""

import chip_start

chip_start.begin()
__import__("main")
