"""Stands in for ``esp32`` on the virtual board: non-volatile storage kept in a file."""

import json
from binascii import unhexlify

import uos

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
