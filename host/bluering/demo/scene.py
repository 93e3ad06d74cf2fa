"""What is said in the demo's scene, by whom and when. Data only.

Somebody watches television, calls the speaker a few times, and watches on. The television says
words that resemble the wake words: a Lexus, an election, Alexander, a gecko, a company, "hey, did".
In a sentence they must not wake the speaker.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Voice:
    """One of eSpeak NG's voices; see `espeak.Espeak.say` for the numbers."""

    name: str
    rate: int = 165
    pitch: int = 50
    pitch_range: int = 50


@dataclass(frozen=True)
class Line:
    """A sentence, or a wake word if `word` names its model, and the silence after it in seconds."""

    voice: Voice
    text: str
    pause: float = 0.35
    word: str | None = None


_ANNA = Voice("en-us+f3", rate=170, pitch=48)
_GORDON = Voice("en-gb-scotland+m1", rate=165, pitch=40)

LEAD_IN = 1.5  # seconds before anybody speaks

TALK_BEFORE = [
    Line(_ANNA, "Alexander, you said that you were in Texas on the night of the election."),
    Line(_GORDON, "I was. I drove there with my sister, in a Lexus that I had borrowed."),
    Line(_ANNA, "Relax, nobody accuses you. Did you hear the gecko in the hall?"),
    Line(_GORDON, "No. Only the company next door, and the rain on the roof."),
    Line(_ANNA, "Then how did Travis know where the key was?"),
    Line(_GORDON, "That is a complex question. I would rather ask her than guess.", pause=1.2),
]

CALLS = [
    Line(Voice("en-us"), "Alexa", word="alexa"),
    Line(Voice("en-us+annie", rate=155), "Alexa", word="alexa"),
    Line(Voice("en-gb-scotland+m2"), "Alexa", word="alexa"),
    Line(Voice("en-us+belinda", rate=160), "Alexa", word="alexa"),
    Line(Voice("en-us+m5", rate=150, pitch=40), "Alexa", word="alexa"),
    Line(Voice("en-us+annie", rate=160), "computer", word="computer"),
    Line(Voice("en-us+belinda", rate=160), "hey echo", word="hey_echo"),
]
CALL_PERIOD = 3.2  # seconds from call to call: longer than the speaker rests after a wake

TALK_AFTER = [
    Line(_GORDON, "So it was the gardener, from the first lecture to the last lesson."),
    Line(_ANNA, "He had the motive, and he knew that the alarm was not connected."),
    Line(_GORDON, "Hey, did anybody feed the cat? She has been alone since Wednesday."),
    Line(_ANNA, "The neighbour did. Let us go home, it is late.", pause=0.8),
]
