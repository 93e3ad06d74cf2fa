"""CMU Flite, a program; its voices kal, awb, rms and slt may be used for any purpose.

setup/voices.sh unpacks it from Debian's packages into the voices' folder.
"""

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bluering.training.errors import TrainingError
from bluering.training.places import voices_folder
from bluering.training.speak.voices import Utterance

_MEAN_PITCH = {"slt": 170.0, "awb": 140.0}  # Hz; the others' is 110


class Flite:
    """One process for each utterance."""

    def __init__(self) -> None:
        unpacked = voices_folder() / "flite" / "usr"
        program = unpacked / "bin" / "flite"
        self._program = str(program) if program.exists() else shutil.which("flite") or ""
        libraries = [str(path) for path in unpacked.glob("lib/*-linux-*")]
        known = os.environ.get("LD_LIBRARY_PATH", "")
        self._environment = os.environ | {
            "LD_LIBRARY_PATH": ":".join(filter(None, [*libraries, known]))
        }
        if not self._program:
            raise TrainingError("flite isn't installed; run: setup/voices.sh")

    def say(self, utterance: Utterance) -> tuple[NDArray[np.float32], int]:
        """As Voice.say."""
        import soundfile

        mean = _MEAN_PITCH.get(utterance.voice, 110.0) * 2 ** (utterance.pitch / 12)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "said.wav"
            command = [self._program, "-voice", utterance.voice, "-t", utterance.spoken]
            command += ["--setf", f"duration_stretch={1 / utterance.speed:.3f}"]
            command += ["--setf", f"int_f0_target_mean={mean:.1f}", "-o", str(path)]
            done = subprocess.run(command, capture_output=True, env=self._environment, check=False)
            if done.returncode or not path.exists():
                raise TrainingError(f"flite failed: {done.stderr.decode(errors='replace').strip()}")
            samples, rate = soundfile.read(path, dtype="float32")
        return np.asarray(samples, np.float32), int(rate)
