"""ESP-IDF's NVS partition: write one with Espressif's generator, read the blobs of one.

Layout: "NVS Partition Generator Utility" and "Non-Volatile Storage Library, Internals" of ESP-IDF;
version 2, not encrypted.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from bluering.flash.errors import ImageError

_PAGE = 4096
_ENTRY = 32
_FIRST = 64  # of the page: header and entry state bitmap come before
_NAMESPACE, _BLOB_DATA, _BLOB_INDEX = 0x01, 0x42, 0x48
_WRITTEN = 0b10
_LIVE_PAGES = (0xFFFFFFFE, 0xFFFFFFFC, 0xFFFFFFF8)  # active, full, being freed


def build(namespace: str, blobs: Mapping[str, bytes], size: int) -> bytes:
    """A partition of ``size`` bytes that holds ``blobs`` in one namespace. Raises ImageError."""
    rows = ["key,type,encoding,value", f"{namespace},namespace,,"]
    rows += [f"{key},data,hex2bin,{value.hex()}" for key, value in blobs.items()]
    with tempfile.TemporaryDirectory() as folder:
        source, output = Path(folder, "nvs.csv"), Path(folder, "nvs.bin")
        source.write_text("\n".join(rows) + "\n")
        generator = [sys.executable, "-m", "esp_idf_nvs_partition_gen", "generate"]
        command = [*generator, str(source), str(output), hex(size)]
        ran = subprocess.run(command, capture_output=True, text=True, check=False)
        if ran.returncode or not output.is_file():
            raise ImageError(f"the NVS partition could not be made: {ran.stderr or ran.stdout}")
        return output.read_bytes()


def read(data: bytes, namespace: str) -> dict[str, bytes]:
    """The blobs of one namespace by key; empty when there are none."""
    entries = list(_written(data))
    spaces = [e[24] for e, _ in entries if (e[0], e[1]) == (0, _NAMESPACE) and _key(e) == namespace]
    mine = [(entry, payload) for entry, payload in entries if entry[0] in spaces]
    chunks = {(_key(e), e[3]): p[: _u16(e, 24)] for e, p in mine if e[1] == _BLOB_DATA}
    blobs = {}
    for entry, _ in mine:
        if entry[1] == _BLOB_INDEX:
            key, count, first = _key(entry), entry[28], entry[29]
            # Writing a blob anew starts it at the other of two chunk numbers: the index knows.
            parts = [chunks.get((key, number)) for number in range(first, first + count)]
            if None not in parts:
                blobs[key] = b"".join(part for part in parts if part is not None)
    return blobs


def _key(entry: bytes) -> str:
    return entry[8:24].split(b"\0")[0].decode("ascii", "replace")


def _u16(entry: bytes, at: int) -> int:
    return int.from_bytes(entry[at : at + 2], "little")


def _written(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each entry that is marked as written, with the bytes of the entries that it spans."""
    for page in range(0, len(data) - _PAGE + 1, _PAGE):
        if int.from_bytes(data[page : page + 4], "little") not in _LIVE_PAGES:
            continue
        bitmap = int.from_bytes(data[page + 32 : page + 64], "little")
        number = 0
        while _FIRST + number * _ENTRY < _PAGE:
            at = page + _FIRST + number * _ENTRY
            span = 1
            if bitmap >> 2 * number & 3 == _WRITTEN:
                entry = data[at : at + _ENTRY]
                span = max(entry[2], 1)
                yield entry, data[at + _ENTRY : at + span * _ENTRY]
            number += span
