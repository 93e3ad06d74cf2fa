"""What can go wrong with review, in words for the person who runs it."""

from bluering.errors import BlueRingError


class ReviewError(BlueRingError):
    """Review can't do what it was asked to."""


class NotPreparedError(ReviewError):
    """This vault has no review tables."""


class RefusedError(ReviewError):
    """The person may not do this, or not now; the message is for them."""
