"""Stands in for ``esp32`` on the virtual board: non-volatile storage kept in a file."""

import json
from binascii import unhexlify

import uos

try:
    import chip_pool  # the runtime that has the chip's memory
except ImportError:
    chip_pool = None

HEAP_DATA = 4
_FILE = "nvs.json"


def _load():
    try:
        with open(_FILE) as file:
            return json.load(file)
    except OSError:
        return {}


class NVS:
    """A namespace of int32 values and blobs; ``commit`` makes changes durable."""

    def __init__(self, namespace):
        self._namespace = namespace
        self._values = _load().get(namespace, {})

    def _get(self, key, kind):
        value = self._values.get(key)
        if not isinstance(value, kind):
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return value

    def set_i32(self, key, value):
        self._values[key] = value

    def get_i32(self, key):
        return self._get(key, int)

    def get_blob(self, key, buffer):
        value = unhexlify(self._get(key, str))
        buffer[: len(value)] = value
        return len(value)

    def commit(self):
        stored = _load()
        stored[self._namespace] = self._values
        with open(_FILE + ".new", "w") as file:
            json.dump(stored, file)
        uos.rename(_FILE + ".new", _FILE)


def idf_heap_info(capabilities):
    """ESP-IDF's regions, (total, free, largest free, least free so far) each, in bytes."""
    if chip_pool is None:
        return [(237000, 203728, 163840, 203728)]  # a chip's at the prompt
    free = chip_pool.free()
    return [(free, free, chip_pool.largest(), free)]
