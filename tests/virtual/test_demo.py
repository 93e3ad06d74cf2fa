"""The demo's scene on the virtual board, faster than real time."""

import numpy as np

from bluering import audio, demo
from bluering.demo import outcome
from bluering.link.records import Wake
from bluering.models.packaged import packaged
from bluering.virtual.listen import hear


def test_every_call_is_heard_at_once_and_the_television_wakes_nothing() -> None:
    truth = demo.truth()
    words = [packaged(name) for name in dict.fromkeys(call.word for call in truth.calls) if name]
    said = hear(words, audio.as_bytes(audio.file_blocks(demo.FLAC)), settings=demo.SETTINGS)
    wakes = [message for message in said if isinstance(message, Wake)]
    names = {word.name: word.manifest.wake_word for word in words}
    result = outcome.compare(truth, wakes, names)
    assert result.uncalled == []
    delays = [call.delay_ms for call in result.calls]
    print("ms from the word's end to the blue ring:", delays)
    assert None not in delays
    assert np.percentile(np.array(delays, float), 95) <= 300
