"""Watching a device: what is known about it, and ways of showing it."""

from bluering.monitor.run import for_seconds, show, show_json
from bluering.monitor.state import MonitorState, Note

__all__ = ["MonitorState", "Note", "for_seconds", "show", "show_json"]
