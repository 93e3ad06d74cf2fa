"""Does an image suit the PSRAM of a chip? Asked before anything is written."""

from dataclasses import replace
from pathlib import Path

import pytest

from bluering.boards.schema import Board
from bluering.flash import esptool, firmware, flasher, image
from bluering.flash.errors import FlashError
from tests.targets import stock
from tests.targets.chip import Chip
from tests.unit.test_image import DEVICE, DEVKIT, Word


def _flash(chip: Chip, data: bytes) -> None:
    with chip.plugged_in() as port:
        flasher.flash(esptool.Loader(port), data, lambda _have, _total: None)


def _for_octal(board: Board = DEVKIT) -> bytes:
    octal = firmware.parse(stock.stock_image(board=stock.OCTAL))
    return image.build(board, [Word()], octal, DEVICE)


def _board(kind: str | None, name: str = "ESP32_GENERIC_S3", *, external: bool = False) -> Board:
    data = DEVKIT.model_dump(exclude_none=True)
    data["chip"] = {"flash_mib": 8, "psram": kind, "psram_external": external}
    data["firmware"] = {"stock": name}
    return Board.model_validate(data)


@pytest.mark.parametrize(("psram_mb", "said"), [(0, "no PSRAM"), (2, "quad PSRAM")])
def test_an_image_for_octal_psram_is_refused_where_there_is_none(
    psram_mb: int, said: str, tmp_path: Path
) -> None:
    chip = Chip(tmp_path / "ttyACM0", psram_mb=psram_mb)
    with pytest.raises(
        FlashError, match=f"needs octal PSRAM, this chip has {said}.*chip.psram = .*--firmware"
    ) as refused:
        _flash(chip, _for_octal())
    assert ("psram_external" in str(refused.value)) == (psram_mb == 0)
    assert not chip.flash.strip(b"\xff")


@pytest.mark.parametrize(
    ("kind", "psram_mb", "said"),
    [
        ("none", 8, 'board with no PSRAM, this chip has octal PSRAM.*set chip.psram = "octal"'),
        ("quad", 8, "board with quad PSRAM, this chip has octal PSRAM, to which GPIO33 to 37"),
        ("quad", 0, "counts on quad PSRAM, this chip has no PSRAM"),
    ],
)
def test_a_board_file_that_the_chip_contradicts_is_refused(
    kind: str, psram_mb: int, said: str, tmp_path: Path
) -> None:
    chip = Chip(tmp_path / "ttyACM0", psram_mb=psram_mb)
    plain = firmware.parse(stock.stock_image())
    with pytest.raises(FlashError, match=said):
        _flash(chip, image.build(_board(kind), [Word()], plain, DEVICE))
    assert not chip.flash.strip(b"\xff")


@pytest.mark.parametrize(
    ("board", "psram_mb", "said"),
    [
        (DEVKIT, 8, ["leaves the chip's octal PSRAM unused"]),
        (DEVKIT, 0, ["board's file tells of octal PSRAM, this chip has no PSRAM"]),
        (DEVKIT, 4, ["doesn't tell of its PSRAM"]),
        (_board("none"), 0, []),
        (_board("none"), 2, ["board's file tells of no PSRAM, this chip has quad PSRAM"]),
        (_board("quad"), 2, []),
        (_board("quad", external=True), 0, ["doesn't tell of its PSRAM"]),
        (_board(None), 2, []),
        (_board(None), -1, []),
    ],
)
def test_the_plain_image_suits_every_chip(
    board: Board, psram_mb: int, said: list[str], tmp_path: Path
) -> None:
    plain = firmware.parse(stock.stock_image())
    contents = image.read(image.build(board, [Word()], plain, DEVICE))
    chip = Chip(tmp_path / "ttyACM0", psram_mb=psram_mb)
    with chip.plugged_in() as port, esptool.Loader(port) as loader:
        found = flasher.check(loader, contents)
    assert len(found) == len(said)
    assert all(part in sentence for part, sentence in zip(said, found, strict=True))


@pytest.mark.parametrize(
    ("board", "psram_mb", "said"),
    [
        (DEVKIT, 8, 0),
        (DEVKIT, 16, 0),
        (DEVKIT, -1, 1),
        (_board("octal", "ESP32_GENERIC_S3-SPIRAM_OCT", external=True), 0, 1),
    ],
)
def test_the_image_for_octal_psram_suits_these(
    board: Board, psram_mb: int, said: int, tmp_path: Path
) -> None:
    chip = Chip(tmp_path / "ttyACM0", psram_mb=psram_mb)
    with chip.plugged_in() as port, esptool.Loader(port) as loader:
        found = flasher.check(loader, image.read(_for_octal(board)))
    assert len(found) == said
    assert all("whether the image suits it isn't checked" in sentence for sentence in found)


def test_an_older_image_is_judged_by_its_stock_image(tmp_path: Path) -> None:
    contents = image.read(_for_octal())
    older = replace(contents, about={k: v for k, v in contents.about.items() if k != "chip"})
    for psram_mb, refused in ((8, False), (0, True)):
        chip = Chip(tmp_path / "ttyACM0", psram_mb=psram_mb)
        with chip.plugged_in() as port, esptool.Loader(port) as loader:
            if refused:
                with pytest.raises(FlashError, match="needs octal PSRAM"):
                    flasher.check(loader, older)
            else:
                assert flasher.check(loader, older) == []
