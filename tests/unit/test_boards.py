"""Board files: the schema, the pins, the device's table and the command."""

import json
import tomllib
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluering import boards
from bluering.boards import loader, page, pins, writer
from bluering.cli import app

DEVKIT = "esp32s3-devkitc-1"
WITHOUT_PSRAM = (
    ('psram = "octal"', 'psram = "none"'),
    ('"ESP32_GENERIC_S3-SPIRAM_OCT"', '"ESP32_GENERIC_S3"'),
)


def _edited(tmp_path: Path, *edits: tuple[str, str]) -> Path:
    """The DevKitC's file under another folder, with each text replaced once."""
    text = (loader.folder() / f"{DEVKIT}.toml").read_text()
    for old, new in edits:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    path = tmp_path / f"{DEVKIT}.toml"
    path.write_text(text)
    return path


def _fault(path: Path) -> str:
    with pytest.raises(boards.BoardError) as caught:
        loader.read(path)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("name", boards.names())
def test_every_board_file_is_sound(name: str) -> None:
    board = boards.load(name)
    assert board.name == name
    assert not [p for p in pins.problems(board) if p.fatal]


@pytest.mark.parametrize("name", boards.names())
def test_every_board_gets_the_image_for_its_psram(name: str) -> None:
    board = boards.load(name)
    expected = {
        "octal": "ESP32_GENERIC_S3-SPIRAM_OCT",
        "quad": "ESP32_GENERIC_S3",
        "none": "ESP32_GENERIC_S3",
        None: "ESP32_GENERIC_S3",
    }
    assert (board.firmware is None) == (name == "virtual")
    if board.firmware:
        assert board.firmware.stock == expected[board.chip.psram]


@pytest.mark.parametrize(
    ("stock", "kind"),
    [("ESP32_GENERIC_S3-FLASH_4M", "quad"), ("SEEED_XIAO_ESP32S3", "octal")],
)
def test_an_image_that_suits_its_psram_is_taken(stock: str, kind: str, tmp_path: Path) -> None:
    edits = (
        ('"ESP32_GENERIC_S3-SPIRAM_OCT"', f'"{stock}"'),
        ('psram = "octal"', f'psram = "{kind}"'),
    )
    board = loader.read(_edited(tmp_path, *edits))
    assert board.firmware
    assert board.firmware.stock == stock


def test_the_boards_that_work_are_these() -> None:
    works = [name for name in boards.names() if boards.load(name).supported == "yes"]
    assert works == [DEVKIT, "lilygo-t-circle-s3", "virtual", "xiao-esp32s3"]


def test_every_board_of_the_survey_is_there() -> None:
    assert len(boards.names()) == 15
    for name in boards.names():
        board = boards.load(name)
        assert board.microphone.kind == "i2s" or board.supported != "yes"


@pytest.mark.parametrize("name", boards.names())
def test_a_board_written_and_read_again_is_the_same(name: str, tmp_path: Path) -> None:
    board = boards.load(name)
    copy = tmp_path / f"{name}.toml"
    copy.write_text(writer.dump(board))
    assert loader.read(copy) == board


@pytest.mark.parametrize("name", boards.names())
def test_the_table_is_a_module_of_flat_constants(name: str) -> None:
    board = boards.load(name)
    module: dict = {}
    exec(boards.table.source(board), module)
    table = module["BOARD"]
    assert table == boards.table.table(board)
    assert all(isinstance(value, str | int | tuple) for value in table.values())
    keys = set(boards.table.table(boards.load(DEVKIT)))
    assert set(table) == keys


def test_the_devkit_table() -> None:
    table = boards.table.table(boards.load(DEVKIT))
    assert (table["mic_sck"], table["mic_ws"], table["mic_sd"]) == (5, 4, 6)
    assert table["led_order"] == (1, 0, 2)
    assert table["mute_active"] == 0
    assert table["link_rate"] == 10000


def test_a_board_without_a_light_has_no_leds_in_its_table() -> None:
    table = boards.table.table(boards.load("esp32-s3-box-3"))
    assert (table["led_kind"], table["led_count"], table["led_pin"]) == ("none", 0, -1)
    assert table["mute_pin"] == 1


def test_an_unknown_board_is_named() -> None:
    with pytest.raises(boards.BoardError, match="no board is called 'toaster'"):
        boards.load("toaster")


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (("gpio = 4,", "gpio = 5,"), "microphone.ws: GPIO5 is already microphone.sck"),
        (("gpio = 14,", "gpio = 33,"), "led.pin: GPIO33 belongs to the octal PSRAM"),
        (("gpio = 14,", "gpio = 35,"), "led.pin: GPIO35 belongs to the octal PSRAM"),
        (("gpio = 14,", "gpio = 36,"), "led.pin: GPIO36 belongs to the octal PSRAM"),
        (("gpio = 14,", "gpio = 37,"), "led.pin: GPIO37 belongs to the octal PSRAM"),
        (("gpio = 14,", "gpio = 30,"), "led.pin: GPIO30 belongs to the flash chip"),
        (("gpio = 14,", "gpio = 20,"), "led.pin: GPIO20 is the USB port"),
        (("gpio = 14,", "gpio = 23,"), "led.pin: GPIO23 does not exist"),
        (("gpio = 14,", "gpio = 43,"), "led.pin: GPIO43 is UART0"),
        (("gpio = 14,", "gpio = 49,"), "led.pin.gpio: Input should be less than or equal to 48"),
        (('kind = "i2s"', 'kind = "pdm"'), "microphone.kind: Input should be 'i2s'"),
        (("shift = 12", "shift = 20"), "microphone.shift: "),
        (("bits = 32", "bits = 16"), "microphone: a 16-bit word has no bits below"),
        (("night = 8", "night = 80"), "led: night is brighter than limit"),
        (('kind = "ws2812"', 'kind = "apa102"'), "led: an apa102 has a clock pin"),
        (('supported = "yes"', 'supported = "no"'), "the whole file: a reason is for boards"),
        (
            ('"ESP32_GENERIC_S3-SPIRAM_OCT"', '"ESP32_GENERIC_S3"'),
            'firmware.stock: ESP32_GENERIC_S3 leaves octal PSRAM unused, and chip.psram is "octal"',
        ),
        (
            ('psram = "octal"', 'psram = "none"'),
            "firmware.stock: ESP32_GENERIC_S3-SPIRAM_OCT needs octal PSRAM, and chip.psram is "
            '"none": name "ESP32_GENERIC_S3", or say',
        ),
        (('psram = "octal"', 'psram = "quad"'), 'needs octal PSRAM, and chip.psram is "quad"'),
        (('psram = "octal"', ""), "needs octal PSRAM, and chip.psram is not told"),
        (
            ('psram = "octal"', "psram_external = true"),
            "chip: psram_external is for a board with quad or octal psram",
        ),
        (("ibuf = 20000", "ibuf = 20000\nsparkle = 1"), "microphone.sparkle: Extra inputs"),
        ((f'name = "{DEVKIT}"', 'name = "other"'), "name: is 'other', but the file is"),
        (("[chip]", "[chip"), "not valid TOML"),
    ],
)
def test_a_fault_is_named_by_file_and_key(edit: tuple[str, str], said: str, tmp_path: Path) -> None:
    assert said in _fault(_edited(tmp_path, edit))


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    path = _edited(tmp_path, ("gpio = 4,", "gpio = 5,"), ("gpio = 14,", "gpio = 19,"))
    said = _fault(path)
    assert "microphone.ws" in said
    assert "led.pin" in said


def test_octal_pins_are_free_on_a_board_without_octal_psram(tmp_path: Path) -> None:
    path = _edited(tmp_path, ("gpio = 14,", "gpio = 36,"), *WITHOUT_PSRAM)
    assert boards.table.table(loader.read(path))["led_pin"] == 36


def test_strapping_pins_are_a_warning_and_the_boot_button_is_none(tmp_path: Path) -> None:
    assert pins.problems(boards.load(DEVKIT)) == []
    problems = pins.problems(loader.read(_edited(tmp_path, ("gpio = 14,", "gpio = 3,"))))
    assert [(p.key, p.fatal) for p in problems] == [("led.pin", False)]


def test_list_tells_why_not() -> None:
    listed = json.loads(CliRunner().invoke(app, ["board", "list", "--json"]).stdout)
    told = {entry["name"]: entry for entry in listed}
    assert "MCLK" in told["esp32-s3-box-3"]["reason"]
    assert told[DEVKIT]["supported"] == "yes"
    plain = CliRunner().invoke(app, ["board", "list"])
    assert plain.exit_code == 0
    assert "home-assistant-voice-pe" in plain.stdout


def test_list_tells_psram_and_stock_image() -> None:
    listed = json.loads(CliRunner().invoke(app, ["board", "list", "--json"]).stdout)
    told = {entry["name"]: entry for entry in listed}
    assert told[DEVKIT]["chip"]["psram"] == "octal"
    assert told[DEVKIT]["firmware"]["stock"] == "ESP32_GENERIC_S3-SPIRAM_OCT"
    assert told["virtual"]["firmware"] is None
    plain = CliRunner().invoke(app, ["board", "list"], env={"COLUMNS": "200"}).stdout
    assert "octal PSRAM: ESP32_GENERIC_S3-SPIRAM_OCT" in plain
    assert "unverified PSRAM: ESP32_GENERIC_S3" in plain


@pytest.mark.skipif(not page.PAGE.is_file(), reason="needs a checkout")
def test_the_page_of_boards_says_what_their_files_say() -> None:
    text = page.PAGE.read_text()
    assert text == page.updated(text), "out of date: python -m bluering.boards.page"
    for name in boards.names():
        assert (f"| `{name}`: " in text) == (name != "virtual")


def test_show_gives_toml_or_json() -> None:
    toml = CliRunner().invoke(app, ["board", "show", DEVKIT]).stdout
    as_json = CliRunner().invoke(app, ["board", "show", DEVKIT, "--json"]).stdout
    assert tomllib.loads(toml) == json.loads(as_json)


def test_check_finds_the_fault_in_one_of_two(tmp_path: Path) -> None:
    bad = _edited(tmp_path, ("gpio = 4,", "gpio = 5,"))
    good = loader.folder() / "virtual.toml"
    result = CliRunner().invoke(app, ["board", "check", str(good), str(bad)])
    assert isinstance(result.exception, boards.BoardError)
    assert str(result.exception).startswith(f"{bad}: microphone.ws")
    assert CliRunner().invoke(app, ["board", "check"]).exit_code == 0


def test_new_asks_and_writes_a_board(tmp_path: Path) -> None:
    answers = ["My ear", "own wiring", "16", "none", "", "5", "4", "6", "right", "13"]
    answers += ["apa102", "24", "10", "BGR", "11", "none", "0", "low"]
    command = ["board", "new", "my-ear", "--folder", str(tmp_path)]
    result = CliRunner().invoke(app, command, input="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    board = boards.load(str(tmp_path / "my-ear.toml"))
    assert board.led is not None
    assert (board.led.count, board.chip.flash_mib, board.mute) == (24, 16, None)
    assert board.microphone.slot == "right"
    assert board.firmware
    assert board.firmware.stock == "ESP32_GENERIC_S3"  # offered, since there is no PSRAM
    again = CliRunner().invoke(app, command, input="\n".join(answers) + "\n")
    assert "exists already" in str(again.exception)


def test_new_writes_nothing_when_an_answer_makes_no_sense(tmp_path: Path) -> None:
    answers = ["", "", "", "", "", "5", "5", "six", "left", "12", "none", "none", "none"]
    command = ["board", "new", "my-ear", "--folder", str(tmp_path)]
    result = CliRunner().invoke(app, command, input="\n".join(answers) + "\n")
    assert "microphone.sd.gpio" in str(result.exception)
    assert list(tmp_path.iterdir()) == []
