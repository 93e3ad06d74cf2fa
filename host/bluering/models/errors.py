"""What can be wrong with a model."""

from bluering.errors import BlueRingError


class ModelError(BlueRingError):
    """A model that can't be read, can't be run on the device, or isn't what its manifest says."""
