"""Watching a device: what is known about it, and three ways of showing it."""

from bluering.monitor.run import for_seconds, show_json, show_lines, show_live
from bluering.monitor.state import MonitorState, Note

__all__ = ["MonitorState", "Note", "for_seconds", "show_json", "show_lines", "show_live"]
