"""The virtual board: the firmware, unchanged, on MicroPython's unix port."""
