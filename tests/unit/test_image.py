"""The image: what goes in comes out, twice the same, and MicroPython mounts it."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluering import boards
from bluering.boards.schema import Board
from bluering.cli import app
from bluering.errors import BlueRingError
from bluering.flash import application, filesystem, firmware, identity, image, nvs, report
from bluering.flash.errors import FirmwareError, ImageError
from bluering.flash.identity import Identity
from bluering.flash.stock import KNOWN
from bluering.native.files import device_files
from tests.targets import stock

DEVKIT = boards.load("esp32s3-devkitc-1")
DEVICE = Identity(bytes(range(8)), bytes(range(100, 132)))
STANDINS = Path(boards.__file__).parents[1] / "virtual" / "standins"
WIRES = ("SOUND", "SWITCH", "LIGHT", "BEAT")
MOUNT = Path(__file__).parents[1] / "device" / "mount_image.py"


@dataclass(frozen=True)
class Settings:
    text: str = '{"wake_word": "Alexa", "cutoff": 200, "window": 5}'

    def model_dump_json(self) -> str:
        return self.text


@dataclass(frozen=True)
class Word:
    name: str = "alexa"
    blob: bytes = b"not a real model " * 2000
    manifest: Settings = Settings()


def _build(board: Board = DEVKIT, word: Word | None = None, **options) -> bytes:
    parsed = firmware.parse(stock.stock_image(**options))
    return image.build(board, [word or Word()], parsed, DEVICE)


def _with_flash(mib: int) -> Board:
    return DEVKIT.model_copy(update={"chip": DEVKIT.chip.model_copy(update={"flash_mib": mib})})


@pytest.fixture(scope="module")
def built() -> bytes:
    return _build()


def test_the_stock_image_is_kept_but_for_the_identity(built: bytes) -> None:
    original = stock.stock_image()
    nvs_end = stock.NVS_AT + 0x6000
    assert built[: stock.NVS_AT] == original[: stock.NVS_AT]
    assert built[nvs_end : len(original)] == original[nvs_end:]
    assert not built[len(original) : stock.VFS_AT].strip(b"\xff")


def test_the_same_inputs_give_the_same_bytes(built: bytes) -> None:
    assert _build() == built


def test_another_device_differs_in_its_identity_alone(built: bytes) -> None:
    other = image.build(
        DEVKIT, [Word()], firmware.parse(stock.stock_image()), Identity(b"\1" * 8, b"\2" * 32)
    )
    assert other != built
    differ = [at for at in range(len(built)) if other[at] != built[at]]
    assert min(differ) >= stock.NVS_AT
    assert max(differ) < stock.NVS_AT + 0x6000


def test_what_went_in_comes_out(built: bytes) -> None:
    found = image.read(built)
    assert found.flash_size == 8 << 20
    assert found.filesystem_at == stock.VFS_AT
    assert found.identity == DEVICE
    assert found.files["/models/alexa.ear"] == Word().blob
    assert json.loads(found.files["/models/alexa.json"])["cutoff"] == 200
    assert found.files["/main.py"] == application.sources(DEVKIT)["/main.py"].encode()
    assert found.about["board"] == DEVKIT.name
    for path, digest in found.about["files"].items():
        assert hashlib.sha256(found.files[path]).hexdigest() == digest
    assert set(found.files) - set(found.about["files"]) == {image.ABOUT}


def test_every_source_is_compiled_for_the_chip(built: bytes) -> None:
    found = image.read(built).files
    for path in application.sources(DEVKIT):
        if path != "/main.py":
            code = found[path.removesuffix(".py") + ".mpy"]
            assert code[:2] == b"M\x06", path
            # Plain bytecode, or version 6.3 with native code for xtensawin.
            assert (code[2] >> 2, code[2] & 3) in ((0, 0), (10, 3)), path
    assert found["/ear/link/frame_kernels.mpy"][2] >> 2 == 10


def test_no_path_of_this_computer_is_in_the_image(built: bytes) -> None:
    for path, content in image.read(built).files.items():
        assert b"/tmp" not in content, path
        assert str(Path.cwd()).encode() not in content, path


@pytest.mark.parametrize("mib", [4, 8, 16, 32])
def test_micropython_mounts_it_and_reads_every_file(
    mib: int, tmp_path: Path, micropython: Path
) -> None:
    data = _build(_with_flash(mib))
    said = _mounted(micropython, tmp_path, data, stock.VFS_AT, (mib << 20) - stock.VFS_AT)
    files = image.read(data).files
    assert said == {path: hashlib.sha256(content).hexdigest() for path, content in files.items()}


def test_micropython_refuses_it_on_another_flash_size(
    tmp_path: Path, built: bytes, micropython: Path
) -> None:
    with pytest.raises(AssertionError, match=r"mount_image.py(.|\n)*OSError"):
        _mounted(micropython, tmp_path, built, stock.VFS_AT, (16 << 20) - stock.VFS_AT)


def test_the_sources_of_the_compiled_modules_import(
    tmp_path: Path, built: bytes, micropython: Path
) -> None:
    sources = application.sources(DEVKIT)
    for path, text in sources.items():
        (tmp_path / path[1:]).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / path[1:]).write_text(text)
    native = {f"/{path}" for path in device_files()}  # made of other sources, for the chip alone
    files = image.read(built).files
    modules = _modules({path: files[path] for path in files.keys() - native})
    assert set(modules) >= {"board_table", "ear.app", "ear.link.frames"}
    script = "\n".join(f"import {module}" for module in modules)
    _run(micropython, tmp_path, "-c", script)


def test_the_modules_import_from_the_mounted_file_system(
    tmp_path: Path, request: pytest.FixtureRequest, micropython: Path
) -> None:
    # The chip's machine code can't run here, so the same files for this machine.
    march = {"mp64": "x64", "mp32": "x86"}[request.node.callspec.id]
    files = application.compiled(DEVKIT, march)
    size = 6 << 20
    said = _mounted(micropython, tmp_path, filesystem.build(files, size), 0, size, *_modules(files))
    assert set(said) == set(files)


def _mounted(
    micropython: Path, folder: Path, data: bytes, start: int, size: int, *modules: str
) -> dict[str, str]:
    path = folder / "image.bin"
    path.write_bytes(data)
    place = (str(path), str(start), str(size // filesystem.BLOCK))
    return json.loads(_run(micropython, folder, str(MOUNT), *place, *modules))


def _run(micropython: Path, folder: Path, *arguments: str) -> str:
    """Run with the virtual board's stand-ins, all their wires to nowhere."""
    wires = {f"BLUERING_{wire}_FD": os.open(os.devnull, os.O_RDWR) for wire in WIRES}
    try:
        ran = subprocess.run(
            [str(micropython), "-X", "heapsize=4m", *arguments],
            capture_output=True,
            text=True,
            check=False,
            cwd=folder,
            env={
                **os.environ,
                **{name: str(fd) for name, fd in wires.items()},
                "MICROPYPATH": f"{STANDINS}:{folder}:.frozen",
            },
            pass_fds=tuple(wires.values()),
        )
    finally:
        for fd in wires.values():
            os.close(fd)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def _modules(files: dict[str, bytes]) -> list[str]:
    names = [path[1:-4].replace("/", ".") for path in files if path.endswith(".mpy")]
    return sorted(name.removesuffix(".__init__") for name in names)


def test_a_published_word_is_as_the_image_wants_it() -> None:
    packaged = pytest.importorskip("bluering.models.packaged")
    word = packaged.packaged("alexa")
    parsed = firmware.parse(stock.stock_image())
    found = image.read(image.build(DEVKIT, [word], parsed, DEVICE)).files
    assert found["/models/alexa.ear"] == word.blob
    # What ear/spotter/words.py reads.
    assert set(json.loads(found["/models/alexa.json"])) >= {"wake_word", "cutoff", "window"}


def test_a_vfs_row_in_the_table_gives_the_start_but_not_the_size() -> None:
    rows = (*stock.ROWS, stock.VFS_ROW)
    found = image.read(_build(rows=rows))
    assert (found.filesystem_at, found.flash_size) == (stock.VFS_AT, 8 << 20)


def test_the_table_is_read_and_not_assumed() -> None:
    larger = (*stock.ROWS[:2], ("factory", 0, 0, 0x10000, 0x210000))
    found = image.read(_build(rows=larger))
    assert (found.filesystem_at, found.flash_size) == (0x220000, 8 << 20)


def test_a_damaged_table_is_refused() -> None:
    data = bytearray(stock.stock_image())
    data[stock.TABLE_AT + 8] ^= 1
    with pytest.raises(FirmwareError, match="MD5"):
        firmware.parse(bytes(data))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"RIFF" + bytes(40), "it has 44 bytes, too few"),
        (bytes(0x20000), "doesn't begin with an ESP32-S3 boot loader"),
        (stock.stock_image(chip=5), "made for the ESP32-C3"),
        (stock.stock_image(version="1.24.1"), "MicroPython 1.24.1, but the application runs on"),
        (stock.stock_image(version="1.30.0"), r"1.30.0, but .* 1.27 to 1.29"),
        (stock.stock_image(rows=()), "no partition table"),
        (stock.stock_image().replace(b"MicroPython v", b"Circumference"), "no MicroPython version"),
    ],
)
def test_what_is_no_firmware_is_refused(data: bytes, said: str) -> None:
    with pytest.raises(FirmwareError, match=said):
        firmware.parse(data)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("esp32-s3-box-3", r"ESP32-S3-BOX-3 can't work: its ES7210 .*MCLK"),
        ("home-assistant-voice-pe", "can't work: its XMOS chip is the I2S master"),
        ("virtual", "nothing to flash on the board 'virtual'"),
    ],
)
def test_a_board_that_can_not_be_flashed_says_why(name: str, said: str) -> None:
    with pytest.raises(ImageError, match=said):
        _build(boards.load(name))


def test_a_model_that_is_too_large_for_the_flash_is_named() -> None:
    with pytest.raises(ImageError, match=r"largest is /models/alexa.ear with 7000000 bytes"):
        filesystem.build(image.models([Word(blob=bytes(7_000_000))]), 6 << 20)


def test_a_flash_that_is_too_small_is_told() -> None:
    rows = (*stock.ROWS[:2], ("factory", 0, 0, 0x10000, 0x3F0000))
    with pytest.raises(FirmwareError, match="4 MiB leaves no room for files"):
        _build(_with_flash(4), rows=rows)


def test_a_stock_image_that_reaches_too_far_is_refused() -> None:
    with pytest.raises(FirmwareError, match="reaches into the file system"):
        _build(size=stock.VFS_AT + 4096)


def test_a_stock_image_is_no_image() -> None:
    with pytest.raises(ImageError, match="no file system: it is empty"):
        image.read(stock.stock_image())


def test_nvs_is_read_as_it_was_written() -> None:
    blobs = {"id": b"\0" * 8, "key": bytes(range(32)), "long": bytes(range(256)) * 20}
    data = nvs.build("some", blobs, 0x6000)
    assert nvs.read(data, "some") == blobs
    assert nvs.read(data, "other") == {}
    assert nvs.read(b"\xff" * 0x6000, "some") == {}


def test_an_nvs_without_a_whole_identity_has_none() -> None:
    assert identity.from_nvs(nvs.build("bluering", {"id": bytes(8)}, 0x6000)) is None
    assert identity.from_nvs(identity.to_nvs(DEVICE, 0x6000)) == DEVICE


def test_an_identity_is_kept_from_other_eyes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BLUERING_DATA", str(tmp_path))
    path = identity.save(DEVICE)
    assert path.stat().st_mode & 0o777 == 0o600
    assert identity.load(path) == DEVICE
    assert identity.saved() == {DEVICE.id.hex(): DEVICE}
    assert DEVICE.key.hex() not in repr(DEVICE)
    assert identity.new() != identity.new()


@pytest.mark.parametrize("text", ["{", "[]", '{"id": "00"}', '{"id": "00", "key": "00"}'])
def test_what_is_no_identity_is_refused(text: str, tmp_path: Path) -> None:
    path = tmp_path / "identity.json"
    path.write_text(text)
    with pytest.raises(ImageError, match="holds no identity"):
        identity.load(path)


def test_mpy_cross_of_another_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "MPY_VERSION", "7.0")
    with pytest.raises(ImageError, match=r"another .mpy version than 7.0 .*mpy v6.3"):
        application.compiled(DEVKIT)


def test_a_module_that_does_not_compile_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(application, "sources", lambda _board: {"/ear/odd.py": "def :\n"})
    with pytest.raises(ImageError, match=r"File \"ear/odd.py\", line 1\nSyntaxError"):
        application.compiled(DEVKIT)


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A command line for an image that needs no network and no compiled model."""
    monkeypatch.setenv("BLUERING_DATA", str(tmp_path / "data"))
    monkeypatch.setattr("bluering.cli.image.compiled_words", lambda _words: [Word()])
    given = tmp_path / "stock.bin"
    given.write_bytes(stock.stock_image())
    output = str(tmp_path / "image.bin")
    return ["image", "--board", DEVKIT.name, "--firmware", str(given), "-o", output]


def test_the_command_makes_an_image_and_tells_the_device(
    command: list[str], tmp_path: Path
) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    found = image.read((tmp_path / "image.bin").read_bytes())
    assert found.identity is not None
    kept = tmp_path / "data" / "identities" / f"{found.identity.id.hex()}.json"
    assert identity.load(kept) == found.identity
    assert (tmp_path / "image.bin").stat().st_mode & 0o777 == 0o600
    again = [*command[:-1], str(tmp_path / "again.bin"), "--identity", str(kept)]
    assert CliRunner().invoke(app, again).exit_code == 0
    assert (tmp_path / "again.bin").read_bytes() == (tmp_path / "image.bin").read_bytes()


def test_inspect_lists_everything_but_the_key(tmp_path: Path, built: bytes) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(built)
    found = json.loads(CliRunner().invoke(app, ["image", "inspect", str(path), "--json"]).stdout)
    assert found == report.of(path)
    assert found["image"]["sha256"] == hashlib.sha256(built).hexdigest()
    assert (found["board"], found["device"]) == (DEVKIT.name, DEVICE.id.hex())
    assert found["firmware"].startswith("MicroPython v1.27.0 on 2025-12-09")
    assert [row["name"] for row in found["partitions"]] == ["nvs", "phy_init", "factory"]
    listed = {row["path"]: row["sha256"] for row in found["files"]}
    assert listed["/models/alexa.ear"] == hashlib.sha256(Word().blob).hexdigest()
    plain = CliRunner().invoke(app, ["image", "inspect", str(path)]).stdout
    assert "/models/alexa.ear" in plain
    assert DEVICE.key.hex() not in plain + json.dumps(found)


def test_without_a_given_image_the_pinned_one_is_used(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = command.index("--firmware")
    given = Path(command[at + 1])
    del command[at : at + 2]
    monkeypatch.setattr("bluering.flash.stock.fetch", lambda name, *_: given / name)
    result = CliRunner().invoke(app, command)
    assert f"can't read the firmware {given}/ESP32_GENERIC_S3" in str(result.exception)
    monkeypatch.setattr("bluering.flash.stock.fetch", lambda *_: given)
    assert CliRunner().invoke(app, command).exit_code == 0
    assert (tmp_path / "image.bin").is_file()


def test_another_release_is_fetched_when_asked_for(
    command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = command.index("--firmware")
    given = Path(command[at + 1])
    asked: list[tuple[str, str]] = []

    def fetch(name: str, version: str, _progress: object, tell: Callable[[str], None]) -> Path:
        asked.append((name, version))
        tell("taken as it came")
        return given

    monkeypatch.setattr("bluering.flash.stock.fetch", fetch)
    both = CliRunner().invoke(app, [*command, "--firmware-version", "1.29.0"])
    assert both.exit_code == 2
    assert "exclude each other" in both.stderr
    del command[at : at + 2]
    result = CliRunner().invoke(app, [*command, "--firmware-version", "1.29.0"])
    assert result.exit_code == 0, result.output
    assert asked == [("ESP32_GENERIC_S3-SPIRAM_OCT", "1.29.0")]
    assert "taken as it came" in result.stderr
    assert (tmp_path / "image.bin").is_file()


def test_an_unknown_word_costs_no_download(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def unheard(words: str) -> list[Word]:
        raise BlueRingError(f"no word is called {words!r}")

    fetched: list[str] = []
    monkeypatch.setattr("bluering.cli.image.compiled_words", unheard)
    monkeypatch.setattr("bluering.flash.stock.fetch", lambda name, *_: fetched.append(name))
    at = command.index("--firmware")
    del command[at : at + 2]
    result = CliRunner().invoke(app, command)
    assert "no word is called 'alexa'" in str(result.exception)
    assert fetched == []


def test_a_given_image_is_named_by_its_hash(
    command: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    result = CliRunner().invoke(app, command)
    assert "is no image known here: MicroPython v1.27.0" in result.stderr
    digest = hashlib.sha256(stock.stock_image()).hexdigest()
    monkeypatch.setitem(KNOWN, ("ESP32_GENERIC_S3", "1.28.0"), digest)
    result = CliRunner().invoke(app, command)
    assert "stock.bin is ESP32_GENERIC_S3 1.28.0, by its SHA-256" in result.stderr


@pytest.mark.parametrize("name", ["esp32s3-devkitc-1", "m5-atom-echos3r"])
def test_the_image_for_octal_psram_is_for_boards_that_have_it(name: str) -> None:
    board = boards.load(name)
    octal = firmware.parse(stock.stock_image(board=stock.OCTAL))
    if board.chip.psram == "octal":
        built = image.read(image.build(board, [Word()], octal, DEVICE))
        assert built.about["chip"] == {"flash_mib": 8, "psram": "octal"}
    else:
        with pytest.raises(FirmwareError, match=r"doesn't suit the board 'm5-.*chip.psram is not"):
            image.build(board, [Word()], octal, DEVICE)


def test_an_image_for_another_device_is_the_same_but_for_its_identity(built: bytes) -> None:
    other = Identity(b"\1" * 8, b"\2" * 32)
    parsed = firmware.parse(stock.stock_image())
    assert image.with_identity(built, other) == image.build(DEVKIT, [Word()], parsed, other)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"RIFF" + bytes(40), "is no image of this application: it has 44 bytes"),
        (stock.stock_image(), "is no image of this application: there is no file system"),
    ],
)
def test_inspect_refuses_what_is_no_image(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "image.bin"
    path.write_bytes(data)
    result = CliRunner().invoke(app, ["image", "inspect", str(path)])
    assert said in str(result.exception)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"--board": "toaster"}, "no board is called 'toaster'"),
        ({"--board": "esp32-s3-box-3"}, "can't work"),
        ({"--firmware": "missing.bin"}, "can't read the firmware missing.bin"),
        ({"--firmware": __file__}, "is no firmware for these boards: it has"),
    ],
)
def test_a_refused_image_leaves_no_file(
    change: dict[str, str], said: str, command: list[str], tmp_path: Path
) -> None:
    for option, value in change.items():
        command[command.index(option) + 1] = value
    result = CliRunner().invoke(app, command)
    assert isinstance(result.exception, BlueRingError)
    assert said in str(result.exception)
    assert not (tmp_path / "image.bin").exists()


def test_an_untested_board_is_flashed_with_a_warning(command: list[str]) -> None:
    command[2] = "m5-atoms3r-echo-base"
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    assert "untested: its ES8311" in result.stderr


def test_a_missing_extra_is_named(command: list[str]) -> None:
    # A process of its own: modules that are imported anew would be others than these tests'.
    program = "import sys; sys.modules['littlefs'] = None; from bluering import cli; cli.main()"
    ran = subprocess.run(
        [sys.executable, "-c", program, *command], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert ran.stderr.startswith("error: this command needs the package littlefs")
    assert "pip install 'bluering[flash]'" in ran.stderr
