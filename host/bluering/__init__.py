"""BlueRing's host toolkit: flash boards, watch them, measure them, keep their recordings."""

from importlib.metadata import version

__version__ = version("bluering")
