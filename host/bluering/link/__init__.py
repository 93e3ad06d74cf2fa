"""The host's end of the link: ports, frames, typed messages, and a connection that heals."""

from bluering.link.connection import Connection, Disconnected, Event, LinkLostError, Reconnected
from bluering.link.ports import PortError
from bluering.link.reader import Garbage, Lost, Received, Undecodable

__all__ = [
    "Connection",
    "Disconnected",
    "Event",
    "Garbage",
    "LinkLostError",
    "Lost",
    "PortError",
    "Received",
    "Reconnected",
    "Undecodable",
]
