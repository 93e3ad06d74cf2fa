"""The LittleFS that MicroPython mounts: write one, read one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from littlefs import LittleFS, UserContext
from littlefs.errors import LittleFSError
from littlefs.lfs import LFSConfig

from bluering.flash.errors import ImageError

BLOCK = 4096
_DISK_VERSION = 0x00020000  # the oldest v2: every MicroPython mounts it
_PIECE = 32 * BLOCK

# Called with offset and size; returns that many bytes of a file system.
Fetch = Callable[[int, int], bytes]


def build(files: Mapping[str, bytes], size: int) -> bytes:
    """A file system of ``size`` bytes that holds ``files``, by absolute path.

    The bytes end with the last block in use: what follows is never read before it is written.
    So that they are few, the files go into a small file system, which is then grown; LittleFS
    would else scatter them over the chip. Same files, same bytes.

    Raises ImageError when they don't fit.
    """
    total = size // BLOCK
    packed = min(_blocks_needed(files), total)
    context = UserContext(size)
    fs = _unmounted(context, packed, _DISK_VERSION)
    fs.format()
    fs.mount()
    try:
        for path in sorted(files):
            fs.makedirs(path.rpartition("/")[0] or "/", exist_ok=True)
            with fs.open(path, "wb") as file:
                file.write(files[path])
    except LittleFSError as error:
        if error.code != LittleFSError.Error.LFS_ERR_NOSPC:
            raise
        raise ImageError(_too_large(files, size)) from error
    if packed < total:
        fs.fs_grow(total)
    return _trimmed(bytes(context.buffer))


class Files:
    """The files of an existing file system, read as they are asked for.

    ``fetch(offset, size)`` gives bytes of it, ``size`` of which are there. Raises ImageError when
    they begin with no LittleFS. ``made_for`` is the size in bytes that it was made for.
    """

    def __init__(self, fetch: Fetch, size: int) -> None:
        # Block count 0: the superblock's own.
        self._fs = _unmounted(_Window(fetch, size), 0)
        with _damage_told():
            self._fs.mount()
        self.made_for = self._fs.block_count * BLOCK

    def paths(self) -> list[str]:
        """The absolute path of every file."""
        with _damage_told():
            return [
                f"{folder.rstrip('/')}/{name}"
                for folder, _folders, names in self._fs.walk("/")
                for name in names
            ]

    def read(self, path: str) -> bytes:
        """What is in a file."""
        with _damage_told(), self._fs.open(path, "rb") as file:
            return file.read()


class _Window(UserContext):
    """A block device that can only be read, in pieces that are fetched once."""

    def __init__(self, fetch: Fetch, size: int) -> None:
        super().__init__(buffer=bytearray())
        self._fetch = fetch
        self._size = size
        self._pieces: dict[int, bytes] = {}

    def read(self, cfg: LFSConfig, block: int, off: int, size: int) -> bytearray:
        at = block * cfg.block_size + off
        start = at // _PIECE * _PIECE  # no piece ends inside a block
        if start not in self._pieces:
            self._pieces[start] = self._fetch(start, min(_PIECE, self._size - start))
        return bytearray(self._pieces[start][at - start : at - start + size])


@contextmanager
def _damage_told() -> Iterator[None]:
    try:
        yield
    except LittleFSError as error:
        raise ImageError("there is no file system: it is empty or damaged") from error


def _unmounted(context: UserContext, block_count: int, disk_version: int = 0) -> LittleFS:
    return LittleFS(
        context=context,
        block_size=BLOCK,
        block_count=block_count,
        read_size=32,  # this and the next as MicroPython has them
        prog_size=32,
        disk_version=disk_version,  # 0: the newest
        mount=False,
    )


def _blocks_needed(files: Mapping[str, bytes]) -> int:
    # A generous bound: every file's data with its index pointers, a block in reserve for each
    # file's folder entry, and the pairs of blocks of the folders and of the superblock.
    folders = {path.rpartition("/")[0] for path in files}
    return 16 + 2 * len(folders) + sum(2 + len(data) * 33 // 32 // BLOCK for data in files.values())


def _too_large(files: Mapping[str, bytes], size: int) -> str:
    largest = max(files, key=lambda path: len(files[path]))
    total = sum(map(len, files.values()))
    return (
        f"{total} bytes in {len(files)} files don't fit the file system of {size} bytes; the "
        f"largest is {largest} with {len(files[largest])} bytes. Leave a word out, or use a "
        "board with more flash"
    )


def _trimmed(data: bytes) -> bytes:
    used = len(data.rstrip(b"\xff"))
    return data[: -(-used // BLOCK) * BLOCK]
