"""Hands a finished recording on to a command or to a web hook.

Both get the event as JSON and the sound as a WAV file that only this user can read. The file is
there while they work and is removed afterwards, so that what they don't copy isn't kept twice.
"""

import json
import os
import shlex
import subprocess
import tempfile
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bluering.vault.notices import Stored
from bluering.vault.sound import to_wav
from ear.audio.format import RATE

_TIMEOUT_S = 60

Give = Callable[[dict[str, Any]], str | None]
"""Takes the event, returns what went wrong, if anything did."""


def describe(stored: Stored) -> dict[str, Any]:
    """The event of a recording with sound; its times are in seconds from its beginning."""
    new = stored.recording
    assert new is not None
    assert new.wake is not None
    return {
        "event": "recording",
        "id": stored.id,
        "word": new.wake.word,
        "score": new.wake.score,
        "cutoff": new.wake.cutoff,
        "model_sha256": new.wake.model_sha256,
        "device": new.device,
        "seconds": len(new.samples) / RATE,
        "complete": new.complete,
        "gaps": [[first / RATE, count / RATE] for first, count in new.gaps],
        "ended_by": new.reason,
    }


def hand_over(stored: Stored, give: Give) -> str | None:
    """Write the sound, give the event with its path, remove the sound."""
    assert stored.recording is not None
    with tempfile.TemporaryDirectory(prefix="bluering-") as folder:
        path = Path(folder, f"{stored.id}.wav")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(to_wav(stored.recording.samples))
        return give(describe(stored) | {"path": str(path)})


def command(line: str) -> Give:
    """A command: the event on its standard input, the path as its last argument."""

    def give(event: dict[str, Any]) -> str | None:
        try:
            subprocess.run(
                [*shlex.split(line), event["path"]],
                input=json.dumps(event),
                text=True,
                check=True,
                timeout=_TIMEOUT_S,
            )
        except (OSError, subprocess.SubprocessError) as error:
            return f"the command '{line}' failed: {error}"
        return None

    return give


def web_hook(url: str) -> Give:
    """An HTTP POST of the event as JSON; the receiver reads the path if it is on this computer."""

    def give(event: dict[str, Any]) -> str | None:
        request = urllib.request.Request(
            url, json.dumps(event).encode(), {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S):
                return None
        except (OSError, ValueError, urllib.error.URLError) as error:
            return f"the web hook {url} failed: {error}"

    return give
