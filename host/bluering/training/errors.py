"""What can go wrong in training; each message names the remedy."""

from bluering.errors import BlueRingError


class TrainingError(BlueRingError):
    """A recipe, a source or a stage that can't be used."""
