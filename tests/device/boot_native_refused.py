"""On MicroPython, in place of main.py: the firmware on a chip that refuses two of its kernels."""

from ear import boot, native


class Loading:
    """As on the ESP32-S3, where not all went well."""

    def finish(self):
        """What came of it."""
        refused = native.Native()
        refused.suited = True
        refused.reasons += ["frontend.window gives wrong answers", "there is no mic.mpy"]
        refused.names.append("adpcm.encode")
        refused._offered.update({"adpcm": 1, "frontend": 11})
        return refused


native.Loading = Loading
boot.main()
