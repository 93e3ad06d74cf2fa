"""The LittleFS that MicroPython mounts: write one, read one."""

from collections.abc import Iterator, Mapping

from littlefs import LittleFS, UserContext
from littlefs.errors import LittleFSError

from bluering.flash.errors import ImageError

BLOCK = 4096
_DISK_VERSION = 0x00020000  # the oldest v2: every MicroPython mounts it
_LARGEST = 32 << 20


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


def read(data: bytes) -> tuple[dict[str, bytes], int]:
    """Every file of a file system by absolute path, and the size in bytes that it was made for.

    ``data`` may end with the last block in use. Raises ImageError when it begins with no LittleFS.
    """
    # Block count 0: the superblock's own. Blocks behind the end of data read as erased.
    context = UserContext(buffer=bytearray(data).ljust(_LARGEST, b"\xff"))
    fs = _unmounted(context, 0)
    try:
        fs.mount()
        files = dict(_walk(fs))
    except LittleFSError as error:
        raise ImageError("there is no file system: it is empty or damaged") from error
    return files, fs.block_count * BLOCK


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


def _walk(fs: LittleFS) -> Iterator[tuple[str, bytes]]:
    for folder, _folders, names in fs.walk("/"):
        for name in names:
            path = f"{folder.rstrip('/')}/{name}"
            with fs.open(path, "rb") as file:
                yield path, file.read()


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
