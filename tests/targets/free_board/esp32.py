"""Stands in for ``esp32``: what ``nvs.json`` holds; what is written there is soon forgotten."""

import json
from binascii import unhexlify


class NVS:
    def __init__(self, namespace):
        with open("nvs.json") as file:
            self._values = json.load(file).get(namespace, {})

    def get_i32(self, key):
        if key not in self._values:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        return self._values[key]

    def set_i32(self, key, value):
        self._values[key] = value

    def get_blob(self, key, buffer):
        if key not in self._values:
            raise OSError(-4354, "ESP_ERR_NVS_NOT_FOUND")
        value = unhexlify(self._values[key])
        buffer[: len(value)] = value
        return len(value)

    def commit(self):
        pass
