"""Mount the file system of an image as a board would, and import the modules in it.

Arguments: the file with the image, the file system's address in it, its number of blocks, and
the modules to import from it. Prints a JSON object: the SHA-256 of each file by its path.
"""

import binascii
import hashlib
import json
import os
import sys

import vfs

BLOCK = 4096


class Flash:
    """A part of a file as MicroPython's extended block device; writing is an error."""

    def __init__(self, path, start, blocks):
        self._file = open(path, "rb")  # noqa: SIM115 - open as long as it is mounted
        self._start = start
        self._blocks = blocks

    def readblocks(self, number, buffer, offset=0):
        self._file.seek(self._start + number * BLOCK + offset)
        view = memoryview(buffer)
        got = self._file.readinto(view)
        while got < len(view):  # erased flash
            view[got] = 0xFF
            got += 1

    def ioctl(self, request, _argument):
        if request == 4:
            return self._blocks
        if request == 5:
            return BLOCK
        return 0


def walk(folder):
    for name, kind, *_ in os.ilistdir(folder):
        path = folder + "/" + name
        if kind == 0x4000:
            yield from walk(path)
        else:
            yield path


path, start, blocks, *modules = sys.argv[1:]
vfs.mount(vfs.VfsLfs2(Flash(path, int(start), int(blocks))), "/board")
hashes = {}
for name in walk("/board"):
    with open(name, "rb") as file:
        hashes[name[6:]] = binascii.hexlify(hashlib.sha256(file.read()).digest()).decode()
sys.path.insert(0, "/board")
for module in modules:
    __import__(module)
print(json.dumps(hashes))
