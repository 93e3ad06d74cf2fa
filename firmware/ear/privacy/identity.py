"""Who the device is: its id, its key, and numbers that are never used twice."""

from ear.privacy.keys import KEY_SIZE

ID_SIZE = 8


class UnprovisionedError(Exception):
    """The device has no identity yet, so nothing can be recorded."""


class Identity:
    """What was written when the device was provisioned.

    nvs: an ``esp32.NVS`` or what stands in for it, with the blobs "id" (8 bytes) and "key"
    (32 bytes). The number of starts is kept there too: it goes up before anything is recorded,
    so (boot, number) never comes again, whatever the random numbers do. Raises UnprovisionedError
    when something is missing or can't be written.
    """

    def __init__(self, nvs):
        self.id = _blob(nvs, "id", ID_SIZE)
        self.key = _blob(nvs, "key", KEY_SIZE)
        self.boot = _count_start(nvs)
        self._number = 0

    def next_number(self):
        """The next recording's number, from 1."""
        self._number += 1
        return self._number


def _blob(nvs, name, size):
    blob = bytearray(size)
    try:
        length = nvs.get_blob(name, blob)
    except OSError:
        raise UnprovisionedError("no '" + name + "' in the NVS") from None
    if length != size:
        raise UnprovisionedError("'" + name + "' in the NVS has the wrong size")
    return bytes(blob)


def _count_start(nvs):
    try:
        boot = nvs.get_i32("boot") + 1
    except OSError:
        boot = 1
    try:
        nvs.set_i32("boot", boot)
        nvs.commit()
    except OSError:
        raise UnprovisionedError("the NVS can't be written") from None
    return boot
