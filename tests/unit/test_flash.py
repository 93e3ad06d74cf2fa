"""Flashing, against a chip that speaks esptool's protocol on a pseudo-terminal."""

import json
import os
import re
import threading
import tty
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluering import boards
from bluering.cli import app
from bluering.errors import BlueRingError
from bluering.flash import esptool, filesystem, firmware, flasher, hello, identity, image, nvs
from bluering.flash.errors import FlashError
from bluering.flash.filesystem import Files
from bluering.flash.identity import Identity
from bluering.link import codec
from bluering.link.ports import PortError
from bluering.link.records import Record
from bluering.link.records import Word as WordRecord
from ear.link.frames import encode
from tests.targets import stock
from tests.targets.chip import ESP32_C3, ESP32_S31, Chip
from tests.unit import pretend_device
from tests.unit.test_image import DEVICE, DEVKIT, Settings, Word

NVS = slice(stock.NVS_AT, stock.NVS_AT + 0x6000)
HELLO = pretend_device.hello(
    session=7,
    words=1,
    firmware="0.1.0",
    board=DEVKIT.name,
    runtime="MicroPython v1.27.0 on ESP32S3",
)
ALEXA = WordRecord(index=0, cutoff=200, window=5, stride=3, model_sha256=bytes(32), name="Alexa")


@pytest.fixture
def chip(tmp_path: Path) -> Chip:
    return Chip(tmp_path / "ttyACM0")


@pytest.fixture(scope="module")
def built() -> bytes:
    return image.build(DEVKIT, [Word()], firmware.parse(stock.stock_image()), DEVICE)


def _silent(_have: int, _total: int) -> None:
    pass


def _flash(chip: Chip, data: bytes) -> None:
    with chip.plugged_in() as port:
        flasher.flash(esptool.Loader(port), data, _silent)


def _files(chip: Chip) -> dict[str, bytes]:
    """The files on a chip, read as MicroPython would: for the whole flash behind the firmware."""
    content = chip.flash[stock.VFS_AT :]
    held = Files(lambda at, size: bytes(content[at : at + size]), len(content))
    assert held.made_for == len(content)
    return {path: held.read(path) for path in held.paths()}


def test_a_chip_tells_what_it_is(chip: Chip) -> None:
    with chip.plugged_in() as port:
        found = esptool.Loader(port).identify()
    assert found == esptool.Chip(8 << 20, "ec:da:3b:12:34:56", "octal")


@pytest.mark.parametrize(
    ("psram_mb", "told"),
    [(0, "none"), (2, "quad"), (8, "octal"), (16, "octal"), (4, None), (-1, None)],
)
def test_a_chip_tells_its_psram(psram_mb: int, told: str | None, tmp_path: Path) -> None:
    chip = Chip(tmp_path / "ttyACM0", psram_mb=psram_mb)
    with chip.plugged_in() as port:
        assert esptool.Loader(port).identify().psram == told


@pytest.mark.parametrize("package", [0, 1, 7])  # QFN56, PICO-1, and one that esptool doesn't know
def test_an_s3_is_an_s3_in_any_package(package: int, tmp_path: Path) -> None:
    chip = Chip(tmp_path / "ttyACM0", package=package)
    with chip.plugged_in() as port:
        assert esptool.Loader(port).identify().flash_size == 8 << 20


def test_the_very_bytes_of_the_image_arrive(chip: Chip, built: bytes) -> None:
    seen: list[tuple[int, int]] = []
    with chip.plugged_in() as port:
        flasher.flash(esptool.Loader(port), built, lambda *step: seen.append(step))
    assert chip.flash[: len(built)] == built
    assert not chip.flash[len(built) :].strip(b"\xff")
    assert [have for have, _ in seen] == sorted(have for have, _ in seen)
    assert seen[-1][0] > 0.9 * len(built)
    assert _files(chip) == image.read(built).files


def test_a_cable_pulled_in_the_middle_is_told_and_mended(chip: Chip, built: bytes) -> None:
    with chip.plugged_in() as port:
        loader = esptool.Loader(port)
        loader.identify()
        # Half of what will be written, as far as it can't be compressed.
        chip.pull_after = chip.received + len(built.replace(b"\xff" * 64, b"")) // 2
        with pytest.raises(FlashError, match=r"was the cable pulled.*same command again"):
            flasher.flash(loader, built, _silent)
    assert chip.flash[: len(built)] != built
    assert chip.flash.strip(b"\xff")
    chip.pull_after = None
    _flash(chip, built)
    assert chip.flash[: len(built)] == built


def test_flashing_again_keeps_what_only_the_chip_knows(chip: Chip, built: bytes) -> None:
    _flash(chip, built)
    counted = nvs.build(
        "bluering", {"id": DEVICE.id, "key": DEVICE.key, "boot": b"\5\0\0\0"}, 0x6000
    )
    chip.flash[NVS] = counted
    chip.flash[0x100:0x200] = bytes(256)
    _flash(chip, built)
    assert chip.flash[NVS] == counted
    assert chip.flash[: stock.NVS_AT] == built[: stock.NVS_AT]
    assert chip.flash[NVS.stop : len(built)] == built[NVS.stop :]


def test_another_identity_replaces_the_old_one(chip: Chip, built: bytes) -> None:
    _flash(chip, built)
    other = Identity(b"\1" * 8, b"\2" * 32)
    _flash(chip, image.build(DEVKIT, [Word()], firmware.parse(stock.stock_image()), other))
    assert identity.from_nvs(bytes(chip.flash[NVS])) == other


def test_a_cable_pulled_while_flashing_again_loses_no_key(chip: Chip, built: bytes) -> None:
    _flash(chip, built)
    with chip.plugged_in() as port:
        loader = esptool.Loader(port)
        assert flasher.owned(loader)
        chip.pull_after = chip.received + 150_000
        with pytest.raises(FlashError, match=r"was the cable pulled"):
            flasher.flash(loader, built, _silent)
    assert identity.from_nvs(bytes(chip.flash[NVS])) == DEVICE


def test_an_image_for_another_flash_size_is_refused(tmp_path: Path, built: bytes) -> None:
    chip = Chip(tmp_path / "ttyACM0", flash_mib=16)
    with pytest.raises(FlashError, match=r"made for 8 MiB of flash, this chip has 16"):
        _flash(chip, built)
    assert not chip.flash.strip(b"\xff")


@pytest.mark.parametrize(("chip_id", "name"), [(ESP32_C3, "ESP32-C3"), (ESP32_S31, "ESP32-S31")])
def test_another_chip_is_refused(chip_id: int, name: str, tmp_path: Path, built: bytes) -> None:
    chip = Chip(tmp_path / "ttyACM0", chip_id=chip_id)
    with pytest.raises(FlashError, match=rf"the chip is an {name}, not an ESP32-S3"):
        _flash(chip, built)
    assert not chip.flash.strip(b"\xff")


def test_a_chip_that_nobody_names_is_refused(chip: Chip, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(esptool, "_CONNECTED", re.compile("as another esptool may say it"))
    with chip.plugged_in() as port, pytest.raises(FlashError, match="doesn't tell which chip"):
        esptool.Loader(port).identify()


def test_a_written_chip_runs_and_so_does_a_refused_one(tmp_path: Path, built: bytes) -> None:
    chip = Chip(tmp_path / "ttyACM0")
    with chip.plugged_in() as port, esptool.Loader(port) as loader:
        loader.identify()
        assert chip.in_loader
        flasher.flash(loader, built, _silent)
        assert not chip.in_loader
    chip = Chip(tmp_path / "ttyACM0", flash_mib=16)
    with chip.plugged_in() as port:
        with pytest.raises(FlashError, match="16"), esptool.Loader(port) as loader:
            flasher.flash(loader, built, _silent)
        assert not chip.in_loader


def test_what_is_no_image_never_reaches_the_chip(chip: Chip) -> None:
    with chip.plugged_in() as port, pytest.raises(Exception, match=r"it has 44 bytes"):
        flasher.flash(esptool.Loader(port), b"RIFF" + bytes(40), _silent)
    assert chip.received == 0


def test_a_chip_that_is_not_in_its_boot_loader_says_what_to_press() -> None:
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    try:
        with pytest.raises(FlashError, match=r"did not answer. Hold BOOT"):
            esptool.Loader(os.ttyname(theirs)).identify()
    finally:
        os.close(ours)
        os.close(theirs)


def test_a_flash_that_holds_something_else_is_told(
    chip: Chip, built: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chip, "erase", lambda _offset, _size: None)
    chip.flash[0x1000:0x2000] = bytes(0x1000)
    with pytest.raises(FlashError, match=r"doesn't hold what was written to it"):
        _flash(chip, built)


def _deploy(chip: Chip, words: list[Word] | None = None) -> None:
    with chip.plugged_in() as port:
        flasher.deploy(esptool.Loader(port), boards.load, words, _silent)


def test_deploy_replaces_the_application_alone(chip: Chip, built: bytes) -> None:
    # As the device would be after a while: settings of its own, files of an older application.
    files = dict(image.read(built).files)
    about = json.loads(files["/bluering.json"])
    about["files"]["/ear/gone.mpy"] = "0"
    aged = {
        **files,
        "/bluering.json": json.dumps(about).encode(),
        "/ear/gone.mpy": b"old",
        "/ear/app.mpy": b"old",
        "/config.json": b'{"brightness": 3}',
        "/log/crash.txt": b"x" * 9000,
    }
    _flash(chip, built[: stock.VFS_AT] + filesystem.build(aged, (8 << 20) - stock.VFS_AT))
    before = bytes(chip.flash[: stock.VFS_AT])
    _deploy(chip)
    after = _files(chip)
    assert chip.flash[: stock.VFS_AT] == before
    assert after == {
        **files,
        "/config.json": b'{"brightness": 3}',
        "/log/crash.txt": b"x" * 9000,
    }


def test_deploy_can_bring_other_words(chip: Chip, built: bytes) -> None:
    _flash(chip, built)
    computer = replace(Word(), name="computer", blob=b"another model", manifest=Settings("{}"))
    _deploy(chip, [computer])
    after = _files(chip)
    assert after["/models/computer.ear"] == b"another model"
    assert "/models/alexa.ear" not in after
    listed = json.loads(after["/bluering.json"])["files"]
    assert [path for path in listed if path.startswith("/models/")] == [
        "/models/computer.ear",
        "/models/computer.json",
    ]


def test_deploy_needs_a_device(chip: Chip) -> None:
    with pytest.raises(FlashError, match="no application on this chip") as caught:
        _deploy(chip)
    assert "'bluering flash' makes" in caught.value.hint
    chip.program(0, stock.stock_image())
    with pytest.raises(FlashError, match=r"no application on this chip"):
        _deploy(chip)


@contextmanager
def _device(folder: Path, *messages: Record, text: bytes = b"") -> Iterator[str]:
    """A device that prints ``text`` and sends ``messages`` whenever it is asked for anything."""
    ours, theirs = os.openpty()
    tty.setraw(theirs)
    path = folder / "ttyACM1"
    path.symlink_to(os.ttyname(theirs))
    frames = [
        encode(message.declaration.id, number, codec.pack(message))
        for number, message in enumerate(messages)
    ]

    def answer() -> None:
        while os.read(ours, 4096) != b"stop":
            os.write(ours, text + b"".join(frames))

    answering = threading.Thread(target=answer)
    answering.start()
    try:
        yield str(path)
    finally:
        os.write(theirs, b"stop")
        answering.join()
        os.close(ours)
        os.close(theirs)


def test_a_hello_tells_what_runs(tmp_path: Path) -> None:
    with _device(tmp_path, HELLO, ALEXA, text=b"rst:0x1 (POWERON)\r\n") as port:
        assert hello.wait(port) == (HELLO, [ALEXA])


def test_a_port_that_comes_back_late_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "late"
    with _device(tmp_path, HELLO, ALEXA) as port:
        appearing = threading.Timer(0.5, lambda: path.symlink_to(port))
        appearing.start()
        assert hello.wait(str(path))[0] == HELLO
        appearing.join()


def test_a_device_without_hello_is_quoted(tmp_path: Path) -> None:
    said = b"Traceback (most recent call last):\r\nImportError: no module named 'ear'\r\n"
    with (
        _device(tmp_path, text=said) as port,
        pytest.raises(FlashError, match=r"no hello. It printed:(.|\n)*no module named 'ear'"),
    ):
        hello.wait(port, timeout=1.5)


def test_a_silent_device_is_told(tmp_path: Path) -> None:
    with pytest.raises(FlashError, match=r"nothing comes from .*press RESET"):
        hello.wait(str(tmp_path / "nothing"), timeout=0.5)


def test_a_device_that_keeps_its_words_back_is_told(tmp_path: Path) -> None:
    with (
        _device(tmp_path, HELLO) as port,
        pytest.raises(FlashError, match=r"told 0 of its 1 words"),
    ):
        hello.wait(port, timeout=1.0)


@pytest.fixture
def command(tmp_path: Path, chip: Chip, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """``bluering flash --board ...`` without a network and without waiting for a real device."""
    monkeypatch.setenv("BLUERING_DATA", str(tmp_path / "data"))
    words = {"alexa": Word(), "large": Word(blob=bytes(7_000_000))}

    def compiled(names: str) -> list[Word]:
        if names not in words:
            raise BlueRingError(f"no word is called {names!r}")
        return [words[names]]

    monkeypatch.setattr("bluering.cli.image.compiled_words", compiled)
    monkeypatch.setattr("bluering.flash.hello.wait", lambda _port: (HELLO, [ALEXA]))
    given = tmp_path / "stock.bin"
    given.write_bytes(stock.stock_image())
    options = ["--board", DEVKIT.name, "--firmware", str(given)]
    return ["flash", *options, "--port", str(chip.port)]


def test_one_command_makes_a_device(command: list[str], chip: Chip) -> None:
    with chip.plugged_in():
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert f"{DEVKIT.name} runs bluering 0.1.0 on MicroPython v1.27.0" in result.stdout
    assert "listens for 'Alexa'" in result.stdout
    first = identity.from_nvs(bytes(chip.flash[NVS]))
    assert first is not None
    assert identity.saved() == {first.id.hex(): first}
    with chip.plugged_in():
        again = CliRunner().invoke(app, command)
    assert f"device {first.id.hex()} keeps its identity" in again.stderr
    assert identity.from_nvs(bytes(chip.flash[NVS])) == first
    with chip.plugged_in():
        deployed = CliRunner().invoke(app, ["deploy", "--port", str(chip.port)])
    assert deployed.exit_code == 0, deployed.output
    assert "/ear/app.mpy" in _files(chip)


def test_an_image_file_is_flashed(
    command: list[str], chip: Chip, built: bytes, tmp_path: Path
) -> None:
    file = tmp_path / "image.bin"
    file.write_bytes(built)
    with chip.plugged_in():
        result = CliRunner().invoke(app, ["flash", str(file), *command[-2:]])
    assert result.exit_code == 0, result.output
    assert chip.flash[: len(built)] == built


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--board": "toaster"}, "no board is called 'toaster'"),
        ({"--firmware": "missing.bin"}, "can't read the firmware missing.bin"),
        ({"--identity": "missing.json"}, "can't read the identity missing.json"),
        ({"--words": "large"}, "does not fit on a board without PSRAM"),
        ({"--words": "unheard-of"}, "no word is called"),
    ],
)
def test_what_can_be_refused_without_the_chip_leaves_it_alone(
    change: dict[str, str], said: str, command: list[str], chip: Chip, tmp_path: Path
) -> None:
    with chip.plugged_in():
        result = CliRunner().invoke(
            app, [*command, *(part for option in change.items() for part in option)]
        )
    assert said in str(result.exception)
    assert chip.received == 0
    assert not (tmp_path / "data").exists()  # no key of a device that never was


def test_deploy_refuses_before_it_asks_the_chip(command: list[str], chip: Chip) -> None:
    for option in (["--board", "toaster"], ["--words", "unheard-of"]):
        with chip.plugged_in():
            result = CliRunner().invoke(app, ["deploy", *option, *command[-2:]])
        assert isinstance(result.exception, BlueRingError)
        assert chip.received == 0


def test_a_refused_chip_runs_what_it_ran(command: list[str], tmp_path: Path) -> None:
    chip = Chip(tmp_path / "ttyACM0", flash_mib=16)
    with chip.plugged_in():
        result = CliRunner().invoke(app, command)
        assert "this chip has 16" in str(result.exception)
        assert chip.received > 0
        assert not chip.in_loader
        result = CliRunner().invoke(app, ["deploy", *command[-2:]])
        assert "no application on this chip" in str(result.exception)
        assert not chip.in_loader
    assert not (tmp_path / "data").exists()


def test_a_chip_whose_writing_failed_is_restarted(
    command: list[str], chip: Chip, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chip, "erase", lambda _offset, _size: None)
    chip.flash[0x1000:0x2000] = bytes(0x1000)
    with chip.plugged_in():
        result = CliRunner().invoke(app, command)
        assert "doesn't hold what was written to it" in str(result.exception)
        assert not chip.in_loader


def test_the_image_for_octal_psram_is_refused_by_the_command(
    command: list[str], tmp_path: Path
) -> None:
    (tmp_path / "stock.bin").write_bytes(stock.stock_image(board=stock.OCTAL))
    chip = Chip(tmp_path / "ttyACM0", psram_mb=0)
    with chip.plugged_in():
        result = CliRunner().invoke(app, command)
        assert "needs octal PSRAM, this chip has no PSRAM" in str(result.exception)
        assert not chip.in_loader
    assert not chip.flash.strip(b"\xff")


def test_what_could_not_be_checked_is_told(command: list[str], tmp_path: Path) -> None:
    chip = Chip(tmp_path / "ttyACM0", psram_mb=-1)
    with chip.plugged_in():
        result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "whether the image suits it isn't checked" in result.stderr


def test_neither_image_nor_board_is_a_mistake_of_usage() -> None:
    result = CliRunner().invoke(app, ["flash"])
    assert result.exit_code == 2
    assert "--board NAME" in result.output


def test_a_board_that_can_not_work_is_refused_before_the_port_is_opened(
    command: list[str],
) -> None:
    command[2] = "esp32-s3-box-3"
    result = CliRunner().invoke(app, command)
    assert "MCLK" in str(result.exception)


def test_a_missing_port_is_told_as_everywhere(command: list[str]) -> None:
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, PortError)
    assert "is the board plugged in?" in result.exception.hint


def test_a_port_in_use_is_told(command: list[str], chip: Chip) -> None:
    import serial

    with (
        chip.plugged_in() as port,
        closing(serial.serial_for_url(port, exclusive=True)),
    ):
        result = CliRunner().invoke(app, command)
    assert "in use by another program" in str(result.exception)


def test_esptool_itself_reads_back_what_was_written(chip: Chip, built: bytes) -> None:
    _flash(chip, built)
    with chip.plugged_in() as port:
        loader = esptool.Loader(port)
        assert loader.read(stock.VFS_AT, 0x3000) == built[stock.VFS_AT :][:0x3000]
        assert loader.read(stock.TABLE_AT, 0xC00) == built[stock.TABLE_AT :][:0xC00]
