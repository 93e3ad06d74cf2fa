"""What can go wrong with a vault, in words for its owner."""

from bluering.errors import BlueRingError


class VaultError(BlueRingError):
    """The vault can't do what it was asked to."""


class NoVaultError(VaultError):
    """There is no vault in this folder."""


class WrongKeyError(VaultError):
    """The passphrase or the keyring's key doesn't open this vault."""


class DamagedError(VaultError):
    """A stored recording is altered or missing."""


class ReplayError(VaultError):
    """This recording was stored before, or stored and deleted."""
