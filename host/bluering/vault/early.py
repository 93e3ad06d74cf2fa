"""Pieces of a recording whose beginning hasn't come yet: the device tells it again soon."""

from bluering.link.records import RecordingChunk, RecordingEnd

_MOST = 500  # pieces: more than a device that tells the beginning again sends in between

Piece = RecordingChunk | RecordingEnd


class Early:
    """Holds the pieces of one recording, unverified, in bounded memory."""

    def __init__(self) -> None:
        self._pieces: list[Piece] = []
        self._deadline = 0.0

    @property
    def number(self) -> int | None:
        """Of the recording whose pieces are held, if there are any."""
        return self._pieces[0].number if self._pieces else None

    def hold(self, piece: Piece, until: float) -> None:
        """Keep a piece; of another recording, if one was held, nothing is kept."""
        if self.number != piece.number:
            self._pieces = []
        if len(self._pieces) < _MOST:
            self._pieces.append(piece)
        self._deadline = until

    def take(self) -> list[Piece]:
        """All that is held, in the order in which it came; nothing is held afterwards."""
        pieces, self._pieces = self._pieces, []
        return pieces

    def is_late(self, now: float) -> bool:
        """Whether the beginning has been waited for long enough."""
        return bool(self._pieces) and now >= self._deadline
