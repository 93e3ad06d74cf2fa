"""A recording's sound as reviewers hear it: a WAV of samples and nothing else."""

from bluering.review.disguise import disguise as disguised
from bluering.samples import Samples
from bluering.vault.sound import to_wav


def for_ears(samples: Samples, disguise: bool, clip_id: str) -> bytes:
    """In memory; ``disguise``: with another voice, the same one each time for one clip."""
    return to_wav(disguised(samples, clip_id) if disguise else samples)
