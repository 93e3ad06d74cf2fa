"""A stand-in for an ESP32 chip in its boot loader, on a pseudo-terminal.

It speaks the protocol of the ROM's loader and of esptool's flasher stub ("Serial Protocol" in
esptool's documentation) as far as esptool uses it to identify a chip, write, verify and read its
flash. The flash behaves as NOR flash does: erasing sets bits, writing clears them. The cable can
be pulled after a number of bytes; what was written by then stays.
"""

import hashlib
import os
import select
import struct
import threading
import tty
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

ESP32_S3, ESP32_C3, ESP32_S31 = 9, 5, 32
MAC = bytes.fromhex("ecda3b123456")

_SECTOR = 4096
_END, _ESCAPE = b"\xc0", b"\xdb"
_EFUSES = 0x60007044  # the S3's BLOCK1: MAC, then what is inside the chip
# PSRAM_CAP by MB: its low two bits are in word 4, the third is in word 5.
_PSRAM_CAP = {0: 0, 8: 1, 2: 2, 16: 3, 4: 4, -1: 5}
_PSRAM_CAP_SHIFT, _PSRAM_CAP_HIGH = 3, 19
_PSRAM_VENDOR = 1 << 7  # AP_3v3
_PACKAGE_SHIFT = 21
_RTC_OPTION1 = 0x6000812C  # esptool clears it right before it resets an S3 by RTS
_SPI = 0x60002000
_SPI_USR2, _SPI_W0, _SPI_START = _SPI + 0x20, _SPI + 0x58, 1 << 18
_READ_ID, _READ_SFDP = 0x9F, 0x5A
_SFDP = 0x50444653
_OHAI = b"OHAI"
_ROM_SYNC = 0x20120707


class Chip:
    """A chip and its flash; ``port`` is the path of the port while it is plugged in.

    ``psram_mb``: what its eFuses tell of PSRAM inside; 0 for none, -1 for a size that esptool
    doesn't know. ``package``: its eFuses' number. ``pull_after``: bytes received until the cable is
    pulled. ``received``: bytes so far. ``in_loader``: whether it waits in its boot loader instead
    of running what is in its flash.
    """

    def __init__(
        self,
        port: Path,
        flash_mib: int = 8,
        chip_id: int = ESP32_S3,
        psram_mb: int = 8,
        package: int = 0,
    ) -> None:
        self.port = port
        self.in_loader = False
        self.flash = bytearray(b"\xff" * (flash_mib << 20))
        self.chip_id = chip_id
        self.pull_after: int | None = None
        self.received = 0
        size_code = (flash_mib << 20).bit_length() - 1
        psram = _PSRAM_CAP[psram_mb]
        self._registers = {
            _EFUSES: int.from_bytes(MAC[2:]),
            _EFUSES + 4: int.from_bytes(MAC[:2]),
            _EFUSES + 12: package << _PACKAGE_SHIFT,
            _EFUSES + 16: (psram & 3) << _PSRAM_CAP_SHIFT | (_PSRAM_VENDOR if psram else 0),
            _EFUSES + 20: psram >> 2 << _PSRAM_CAP_HIGH,
        }
        self._flash_id = size_code << 16 | 0x40 << 8 | 0xEF

    @contextmanager
    def plugged_in(self) -> Iterator[str]:
        """The chip, just reset, answers on its port until the block ends or the cable is pulled."""
        ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.port.unlink(missing_ok=True)
        self.port.symlink_to(os.ttyname(theirs))
        self.received = 0
        stop = threading.Event()
        answering = threading.Thread(target=self._answer, args=(ours, theirs, stop))
        answering.start()
        try:
            yield str(self.port)
        finally:
            stop.set()
            answering.join()
            self.port.unlink(missing_ok=True)

    def _answer(self, ours: int, theirs: int, stop: threading.Event) -> None:
        loader = _Loader(self, ours)
        try:
            while not stop.is_set():
                if not select.select([ours], [], [], 0.05)[0]:
                    continue
                data = os.read(ours, 65536)
                self.received += len(data)
                if self.pull_after is not None and self.received >= self.pull_after:
                    self.port.unlink()
                    return
                loader.feed(data)
        finally:
            # Closing the last end of a pseudo-terminal is what pulling a cable looks like.
            os.close(ours)
            os.close(theirs)

    def read_register(self, address: int) -> int:
        return self._registers.get(address, 0)

    def write_register(self, address: int, value: int) -> None:
        self._registers[address] = value
        if address == _RTC_OPTION1:
            self.in_loader = False
        if address == _SPI and value & _SPI_START:
            command = self._registers.get(_SPI_USR2, 0) & 0xFF
            answers = {_READ_ID: self._flash_id, _READ_SFDP: _SFDP}
            self._registers[_SPI_W0] = answers.get(command, 0)
            self._registers[_SPI] = 0

    def erase(self, offset: int, size: int) -> None:
        start, end = offset // _SECTOR * _SECTOR, -(-(offset + size) // _SECTOR) * _SECTOR
        self.flash[start:end] = b"\xff" * (end - start)

    def program(self, offset: int, data: bytes) -> None:
        old = int.from_bytes(self.flash[offset : offset + len(data)])
        new = (old & int.from_bytes(data)).to_bytes(len(data))
        self.flash[offset : offset + len(data)] = new


class _Loader:
    """One session: frames in, answers out. It begins in the ROM and may get the stub."""

    def __init__(self, chip: Chip, port: int) -> None:
        self._chip = chip
        self._port = port
        self._buffer = b""
        self._stub = False
        self._at = 0
        self._inflate = zlib.decompressobj()
        self._unread: list[bytes] = []
        self._commands: dict[int, Callable[[bytes], None]] = {
            0x02: self._flash_begin,
            0x03: lambda data: self._chip_program(data[16:]),
            0x06: self._start_stub,
            0x08: lambda _: self._sync(),
            0x09: self._write_register,
            0x0A: self._read_register,
            0x10: self._compressed_begin,
            0x11: lambda data: self._chip_program(self._inflate.decompress(data[16:])),
            0x13: self._md5,
            0x14: lambda _: self._security_info(),
            0xD2: self._read_flash,
        }
        # Accepted without effect: MEM_BEGIN, MEM_DATA, FLASH_END, FLASH_DEFL_END,
        # SPI_SET_PARAMS, SPI_ATTACH, CHANGE_BAUDRATE.
        self._quiet = {0x05, 0x07, 0x04, 0x12, 0x0B, 0x0D, 0x0F}

    def feed(self, data: bytes) -> None:
        *frames, self._buffer = (self._buffer + data).split(_END)
        for frame in frames:
            if frame:
                self._take(frame.replace(b"\xdb\xdc", _END).replace(b"\xdb\xdd", _ESCAPE))

    def _take(self, frame: bytes) -> None:
        if self._unread:
            self._send_next()
            return
        direction, self._command, size = struct.unpack_from("<BBH", frame)
        assert direction == 0, frame
        data = frame[8:]
        assert len(data) == size, "a frame was cut"
        handler = self._commands.get(self._command)
        if handler:
            handler(data)
        elif self._command in self._quiet:
            self._reply()
        else:
            self._reply(status=1)

    def _reply(self, data: bytes = b"", value: int = 0, status: int = 0) -> None:
        tail = bytes((status, 5 if status else 0)) + bytes(0 if self._stub else 2)
        head = struct.pack("<BBHI", 1, self._command, len(data) + len(tail), value)
        self._send(head + data + tail)

    def _send(self, frame: bytes) -> None:
        escaped = frame.replace(_ESCAPE, b"\xdb\xdd").replace(_END, b"\xdb\xdc")
        data = _END + escaped + _END
        while data:
            data = data[os.write(self._port, data) :]

    def _sync(self) -> None:
        self._chip.in_loader = True
        # By this value esptool tells the ROM from its stub.
        for _ in range(8):
            self._reply(value=0 if self._stub else _ROM_SYNC)

    def _read_register(self, data: bytes) -> None:
        (address,) = struct.unpack("<I", data)
        self._reply(value=self._chip.read_register(address))

    def _write_register(self, data: bytes) -> None:
        address, value = struct.unpack_from("<II", data)
        self._chip.write_register(address, value)
        self._reply()

    def _security_info(self) -> None:
        self._reply(struct.pack("<IB7xII", 0, 0, self._chip.chip_id, 0))

    def _start_stub(self, _data: bytes) -> None:
        self._reply()
        self._stub = True
        self._send(_OHAI)

    def _flash_begin(self, data: bytes) -> None:
        size, _blocks, _block, self._at = struct.unpack_from("<IIII", data)
        self._chip.erase(self._at, size)
        self._reply()

    def _compressed_begin(self, data: bytes) -> None:
        self._inflate = zlib.decompressobj()
        self._flash_begin(data)

    def _chip_program(self, data: bytes) -> None:
        self._chip.program(self._at, data)
        self._at += len(data)
        self._reply()

    def _md5(self, data: bytes) -> None:
        offset, size = struct.unpack_from("<II", data)
        digest = hashlib.md5(self._chip.flash[offset : offset + size])
        self._reply(digest.digest() if self._stub else digest.hexdigest().encode())

    def _read_flash(self, data: bytes) -> None:
        offset, size, packet, _in_flight = struct.unpack("<IIII", data)
        content = bytes(self._chip.flash[offset : offset + size])
        self._reply()
        self._unread = [content[at : at + packet] for at in range(0, size, packet)]
        self._unread.append(hashlib.md5(content).digest())
        self._send(self._unread.pop(0))

    def _send_next(self) -> None:
        """Each packet but the hash is acknowledged; the hash follows the last acknowledgement."""
        self._send(self._unread.pop(0))
