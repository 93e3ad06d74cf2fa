"""On a computer, native kernels can't be loaded: everything runs in viper."""

import shutil

from bluering.models.packaged import packaged
from bluering.native.files import device_files
from tests.targets import device


def test_falls_back_to_viper(micropython, tmp_path, monkeypatch):
    firmware = tmp_path / "firmware"
    shutil.copytree(device.FIRMWARE, firmware, ignore=shutil.ignore_patterns("__pycache__"))
    for path, data in device_files().items():
        (firmware / path).write_bytes(data)
    model = tmp_path / "alexa.ear"
    model.write_bytes(packaged("alexa").blob)
    monkeypatch.setattr(device, "FIRMWARE", firmware)
    said = device.run(micropython, "native_load.py", model)
    assert said.count("incompatible .mpy arch") == 6
    assert "frontend 12 functions" in said
    assert "adpcm 1 functions" in said
    assert "stepped 3" in said
