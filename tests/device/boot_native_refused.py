"""On MicroPython, in place of main.py: the firmware on a chip that refuses two of its kernels."""

from ear import boot, native


def finish(_loading):
    """As on the ESP32-S3, where not all went well."""
    refused = native.Native()
    refused.suited = True
    refused.reasons += ["frontend.window gives wrong answers", "there is no mic.mpy"]
    refused.names.append("adpcm.encode")
    refused._offered.update({"adpcm": 1, "frontend": 11})
    return refused


native.Loading.finish = finish
boot.main()
