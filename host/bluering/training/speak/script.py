"""The script: utterances drawn from a recipe, in batches that stay the same when a recipe asks for
more of them."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bluering.training.recipe import Recipe
from bluering.training.speak.lookalikes import look_alikes
from bluering.training.speak.phones import ACCENTS, accented, choose
from bluering.training.speak.voices import Utterance
from bluering.training.speak.voices.kokoro import voice_names

BATCH = 50
KINDS = ("word", "look_alike", "sentence", "held_out")
_LOOK_ALIKES = 160

# Held out: not trained on.
HELD_OUT_KOKORO = ("af_nova", "af_sky", "am_liam", "am_onyx", "bf_lily", "bm_george")
HELD_OUT_ESPEAK = (
    "Alicia", "Andy", "Henrique", "Reed", "adam", "belinda", "edward", "f4", "grandma", "ian",
    "klatt3", "linda", "m5", "miguel", "quincy", "shelby", "steph2",
)  # fmt: skip
_ESPEAK = (
    "", "", "", "", "Alex", "Andrea", "Annie", "Denis", "Diogo", "Gene", "Gene2", "Hugo", "Jacky",
    "Lee", "Marco", "Mario", "Michael", "Mike", "Nguyen", "RicishayMax", "RicishayMax2", "Storm",
    "anika", "announcer", "antonio", "aunty", "benjamin", "boris", "caleb", "david", "ed",
    "edward2", "f1", "f2", "f3", "f5", "grandpa", "gustave", "iven", "iven2", "iven3", "iven4",
    "john", "kaukovalta", "klatt", "klatt2", "klatt4", "klatt5", "klatt6", "m1", "m2", "m3", "m4",
    "m6", "m7", "m8", "marcelo", "max", "michel", "mike2", "norbert", "pablo", "paul", "pedro",
    "rob", "robert", "sandro", "steph", "steph3", "travis", "victor", "zac", "whisper", "whisperf",
)  # fmt: skip
_ESPEAK_LANGUAGES = (
    "en-us", "en-us", "en-us-nyc", "en", "en-gb-x-rp", "en-gb-scotland", "en-gb-x-gbclan",
    "en-gb-x-gbcwmd", "en-029",
)  # fmt: skip
_FLITE = ("kal", "kal16", "awb", "rms", "slt")

# Said in the same breath before the word, and before look-alikes.
_LEADS = (
    "hey", "hey", "hey", "okay", "okay", "hi", "hello", "so", "um", "well", "ask", "tell", "the",
    "my", "this", "your", "good morning", "thank you", "come on", "please", "I said", "where's the",
)  # fmt: skip
_LED = 0.25  # the share of words with a lead-in


@dataclass(frozen=True)
class Batch:
    """Utterances of one kind by one engine, synthesised in this order by a fresh process."""

    kind: str
    engine: str
    utterances: tuple[Utterance, ...]


def batches(recipe: Recipe, kind: str, sentences: Path) -> Iterator[Batch]:
    """All utterances of one of KINDS. sentences: a file with a sentence per line."""
    for engine, count in getattr(recipe.speech, kind).model_dump().items():
        for number in range(0, count, BATCH):
            drawn = _Draw(recipe, kind, engine, number // BATCH, sentences)
            utterances = tuple(drawn.utterance() for _ in range(min(BATCH, count - number)))
            yield Batch(kind, engine, utterances)


def sentence_texts(path: Path) -> tuple[str, ...]:
    """The lines of a file without its comments."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))


class _Draw:
    """Draws one batch. Its seed depends only on the recipe's phrase and seed, the kind, the engine
    and the batch's number, so that more batches don't change earlier ones."""

    def __init__(
        self, recipe: Recipe, kind: str, engine: str, number: int, sentences: Path
    ) -> None:
        own = recipe.phrase if kind != "sentence" else ""
        seed = hashlib.sha256(f"{own}|{recipe.seed}|{kind}|{engine}|{number}".encode()).digest()
        self._rng = np.random.default_rng(list(seed))
        self._recipe, self._kind, self._engine = recipe, kind, engine
        self._sentences = sentences

    def utterance(self) -> Utterance:
        rng = self._rng
        text, lead = self._text(), self._lead()
        ending = choose((".", ".", ".", "!", "?", ",", ""), rng)
        if self._engine == "kokoro":
            return self._kokoro(text, lead, ending)
        speed, pitch = float(rng.uniform(0.65, 1.4)), float(rng.uniform(-5, 5))
        voice = choose(_FLITE, rng) if self._engine == "flite" else self._espeak_voice()
        speed, pitch = round(speed, 3), round(pitch, 2)
        return Utterance(text + ending, self._engine, voice, speed, pitch, lead=lead)

    def _lead(self) -> str:
        if self._kind == "sentence" or self._rng.random() >= _LED:
            return ""
        lead = choose(_LEADS, self._rng)
        return "" if self._recipe.phrase.lower().startswith(lead) else lead

    def _text(self) -> str:
        if self._kind in ("word", "held_out"):
            return self._recipe.phrase
        if self._kind == "sentence":
            return choose(sentence_texts(self._sentences), self._rng)
        confusables = self._recipe.confusables
        if confusables and self._rng.random() < 0.5:
            return choose(confusables, self._rng)
        alike = look_alikes(self._recipe.phrase, _LOOK_ALIKES)
        near = [found for found in alike if not found.same]
        # Nearer ones more often.
        place = int(len(near) * self._rng.beta(1.0, 2.0))
        return near[place].phrase

    def _kokoro(self, text: str, lead: str, ending: str) -> Utterance:
        rng = self._rng
        foreign = rng.random() < 0.3
        accent = choose(tuple(ACCENTS), rng) if rng.random() < (0.7 if foreign else 0.2) else ""
        language = "en-gb-x-rp" if rng.random() < 0.35 else "en-us"
        phonemes = ""
        own = self._recipe.pronunciations
        if self._kind in ("word", "held_out") and own and rng.random() < 0.8:
            phonemes = accented(choose(own, rng), accent, rng) + ending
        speed = float(rng.uniform(0.6, 1.4)) if self._kind != "sentence" else rng.uniform(0.8, 1.3)
        return Utterance(
            text,
            "kokoro",
            self._mixture(foreign),
            round(float(speed), 3),
            phonemes=phonemes,
            accent=f"{language}/{accent}",
            lead=lead,
        )

    def _mixture(self, foreign: bool) -> str:
        """One voice, or a mixture of two or three, for the timbre and for the prosody. Weights may
        lie slightly outside the convex hull, which gives voices beyond those of the mixture."""
        rng = self._rng
        names = voice_names()
        if self._kind == "held_out":
            pool = list(HELD_OUT_KOKORO)
        else:
            pool = [n for n in names if n not in HELD_OUT_KOKORO and (n[0] in "ab") != foreign]
        mixtures = []
        for half in ("timbre", "prosody"):
            count = int(rng.choice((1, 2, 3), p=(0.35, 0.4, 0.25)))
            chosen = [choose(pool, rng) for _ in range(count)]
            weights = rng.dirichlet(np.ones(count))
            beyond = rng.uniform(0, 0.25) if count > 1 else 0.0
            weights = weights * (1 + beyond) - beyond / count
            terms = (f"{n}*{w:.3f}" for n, w in zip(chosen, weights, strict=True))
            mixtures.append(f"{half}:{'+'.join(terms)}")
        return ";".join(mixtures)

    def _espeak_voice(self) -> str:
        rng = self._rng
        variants = HELD_OUT_ESPEAK if self._kind == "held_out" else _ESPEAK
        variant = choose(variants, rng)
        language = choose(_ESPEAK_LANGUAGES, rng)
        return f"{language}+{variant}" if variant else language
