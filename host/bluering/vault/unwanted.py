"""Recordings of which nothing is kept but that they are unwanted, so that nobody can play one back
later."""

from bluering.vault.assembly import Assembly
from bluering.vault.vault import NewWake, Vault

_AGAIN_S = 10.0  # after what could not be written


class Unwanted:
    """What can't be written now is written later: until then this remembers it."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault
        self._waiting: list[tuple[str, int, int, str, NewWake, str]] = []
        self._again_at = 0.0

    def add(self, assembly: Assembly, wake: NewWake, why: str) -> None:
        """Turn a recording away; raises as the vault does, and is written later then."""
        start = assembly.start
        device, salt = start.device.hex(), start.salt.hex()
        self._waiting.append((device, start.boot, start.number, salt, wake, why))
        self._write()

    def is_due(self, now: float) -> bool:
        """Whether there is something to write that couldn't be written before."""
        return bool(self._waiting) and now >= self._again_at

    def write_late(self, now: float) -> None:
        """Try again; raises as the vault does."""
        self._again_at = now + _AGAIN_S
        self._write()

    def _write(self) -> None:
        while self._waiting:
            self._vault.turn_away(*self._waiting[0])
            self._waiting.pop(0)
