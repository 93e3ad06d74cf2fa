"""The judge of ``bluering listen --second-look``: hears a wake again before anything is kept."""

from collections.abc import Callable, Iterable

from bluering.models.errors import ModelError
from bluering.models.look import AFTER_HOPS, HOP, Examiner, examiner
from bluering.models.packaged import CompiledWord, packaged, packaged_names
from bluering.vault.assembly import Assembly
from ear.privacy.preroll import HOPS as BEFORE_HOPS
from ear.privacy.recording import CONSENT_PRE_ROLL

Choose = Callable[[bytes], Examiner]
"""The examiner for what a model with this SHA-256 (32 bytes) woke; raises ModelError."""


class SecondLook:
    """A ``receiver.Judge``. What can't be judged is kept, and it is said why."""

    def __init__(self, choose: Choose) -> None:
        self._choose = choose

    def __call__(self, assembly: Assembly) -> bool | str | None:
        """True: it was the word; False: it wasn't; None: not yet; else why it can't be told."""
        start = assembly.start
        if not start.consent & CONSENT_PRE_ROLL:
            return (
                "there is no second look: the device keeps nothing from before a wake. "
                "'bluering config set pre_roll on' lets it"
            )
        if start.pre_roll < BEFORE_HOPS * HOP:
            return "there was no second look: the wake followed too soon on what was before it"
        try:
            looking = self._choose(start.model_sha256)
        except ModelError as error:
            return f"there is no second look: {error.told()}"
        end = start.pre_roll + AFTER_HOPS * HOP
        if not assembly.has(end):
            return None
        return looking.confirms(assembly.samples()[start.pre_roll - BEFORE_HOPS * HOP : end])


def by_the_same_model(words: Iterable[CompiledWord] | None = None) -> Choose:
    """Whatever woke looks again; of ``words``, else of the packaged ones."""
    known: dict[bytes, Examiner] = {}
    unread = iter(map(packaged, packaged_names()) if words is None else words)

    def choose(sha256: bytes) -> Examiner:
        while sha256 not in known:
            word = next(unread, None)
            if word is None:
                raise ModelError(
                    "no model here is the one that woke the device, or it has no second look",
                    "name its manifest: '--second-look MANIFEST'",
                )
            try:
                found = examiner(word)
            except ModelError:
                continue
            known[bytes.fromhex(found.look.model_sha256)] = found
        return known[sha256]

    return choose


def by_model(word: CompiledWord) -> Choose:
    """One model looks at every wake. Raises ModelError when it can't."""
    looking = examiner(word)
    return lambda _: looking
