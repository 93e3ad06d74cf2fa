"""What can go wrong between a board file and a device that says hello."""

from bluering.errors import BlueRingError


class FirmwareError(BlueRingError):
    """A stock image that is not one, or not one that the application runs on."""


class ImageError(BlueRingError):
    """An image that can't be made, or a file that is not one."""


class DownloadError(BlueRingError):
    """A stock image that could not be fetched whole and unaltered."""


class FlashError(BlueRingError):
    """A chip that could not be found, or does not fit, or did not take the image."""
