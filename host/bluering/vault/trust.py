"""Whose recordings are taken: those of known devices, tagged with their keys, each of them once."""

from collections.abc import Mapping

from bluering.link.records import FalseWake, RecordingStart
from bluering.vault.assembly import ForgeryError, RecordingKeys, check_tag, recording_keys
from bluering.vault.vault import Vault
from ear.privacy import codecs, keys


class Registry:
    """Which port each device speaks on, so that no two boards pass for one."""

    def __init__(self) -> None:
        self._ports: dict[bytes, str] = {}

    def claim(self, device: bytes, port: str) -> str | None:
        """None if the device is this port's from now on, else the other port that has it."""
        owner = self._ports.setdefault(device, port)
        return None if owner == port else owner

    def release(self, port: str) -> None:
        """The board on this port is gone."""
        self._ports = {device: owner for device, owner in self._ports.items() if owner != port}


class Trust:
    """What one connection's messages are checked against.

    identities: device ids and their keys, 32 bytes each.
    """

    def __init__(
        self, vault: Vault, identities: Mapping[bytes, bytes], registry: Registry, port: str
    ) -> None:
        self._vault = vault
        self._identities = identities
        self._registry = registry
        self._port = port
        self._newest: dict[bytes, tuple[int, int]] = {}  # boot and number, for each device

    def problem_with(self, start: RecordingStart) -> str | None:
        """Why a recording isn't taken, the likely cause and the next step; None if it may be."""
        device = start.device.hex()
        key = self._identities.get(start.device)
        if key is None:
            return (
                f"device {device} isn't known here, so its recordings can't be opened. Copy its "
                "identity file to this computer, or flash it from here"
            )
        try:
            check_tag(recording_keys(key, start).authentication, start)
        except ForgeryError:
            return (
                f"the key kept here for device {device} is wrong, or somebody altered what it "
                "sent. Was it flashed anew from another computer?"
            )
        if start.codec != codecs.ADPCM:
            return (
                f"device {device} sends sound in codec {start.codec}, which this program doesn't "
                "know: update it, or flash the device anew from here"
            )
        # Also what wasn't kept, because it was cancelled or marked as false, can't come again.
        stale = (start.boot, start.number) <= self._newest.get(start.device, (0, 0))
        if stale or self._vault.knows(device, start.boot, start.number, start.salt.hex()):
            return (
                f"device {device} has sent it, or a later one, before: a replay. Was the device's "
                "flash erased? Then start 'bluering listen' anew"
            )
        other = self._registry.claim(start.device, self._port)
        if other:
            return (
                f"the boards on {self._port} and {other} have the same identity {device}. Flash "
                "one of them again, with an identity of its own"
            )
        return None

    def take(self, start: RecordingStart) -> RecordingKeys:
        """The keys of a recording with which there is no problem; it isn't taken again."""
        self._newest[start.device] = (start.boot, start.number)
        return recording_keys(self._identities[start.device], start)

    def check(self, request: FalseWake) -> None:
        """Raises ForgeryError where no known device asks for it."""
        key = self._identities.get(request.device)
        if key is None:
            raise ForgeryError("unknown device")
        check_tag(keys.control_key(key), request)

    def end(self) -> None:
        """The board is gone."""
        self._registry.release(self._port)
