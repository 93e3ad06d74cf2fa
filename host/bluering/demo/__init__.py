"""The demo's scene: a minute of sound and the truth about what is said in it.

The sound is made by `bluering.demo.synthesise` and kept here, so that playing it needs no
synthesiser.
"""

from pathlib import Path

from pydantic import BaseModel

FLAC = Path(__file__).with_name("scene.flac")
JSON = Path(__file__).with_name("scene.json")

# The ring is blue while something is recorded. Here the recording goes no further than this
# computer's memory.
SETTINGS = {"record": True}


class Utterance(BaseModel):
    """What one voice says; start and end in seconds, at the first and last sound of the voice."""

    text: str
    voice: str
    word: str | None = None  # the model that is meant to hear it, if any
    start: float
    end: float


class Truth(BaseModel):
    """What there is to hear in the scene."""

    seconds: float
    utterances: list[Utterance]

    @property
    def calls(self) -> list[Utterance]:
        """The wake words, in order."""
        return [utterance for utterance in self.utterances if utterance.word]


def truth() -> Truth:
    """The truth about `FLAC`."""
    return Truth.model_validate_json(JSON.read_text())
