"""No import climbs, and none goes in a circle."""

from graphlib import CycleError, TopologicalSorter

import pytest

from tests.unit.source_modules import imports, modules

# Each part may import itself and what stands in lines above its own; the host all of the firmware.
LAYERS = (
    (
        "ear",
        "ear.clock",
        "ear.daytime",
        "ear.leds",
        "ear.memory",
        "ear.ring",
        "ear.sequence",
        "ear.settings",
    ),
    ("ear.kernels",),
    ("ear.link",),
    ("ear.audio", "ear.base", "ear.reports"),
    ("ear.board", "ear.hello", "ear.privacy", "ear.spotter"),
    ("ear.commands", "ear.native"),
    ("ear.app", "ear.halt"),
    ("ear.start",),
    ("ear.boot",),
    ("main",),
    ("bluering", "bluering.errors"),
    (
        "bluering.espeak",
        "bluering.files",
        "bluering.firmware",
        "bluering.native",
        "bluering.pages",
        "bluering.places",
        "bluering.samples",
    ),
    ("bluering.boards", "bluering.sound_files"),
    ("bluering.audio", "bluering.link", "bluering.models"),
    ("bluering.demo", "bluering.flash", "bluering.monitor", "bluering.virtual"),
    ("bluering.doctor", "bluering.validate", "bluering.vault"),
    ("bluering.review", "bluering.training"),
    ("bluering.cli",),
)
LAYER = {part: number for number, parts in enumerate(LAYERS) for part in parts}


def part_of(module: str) -> str:
    return ".".join(module.split(".")[:2])


def climbing(module: str, imported: str) -> bool:
    ours, theirs = part_of(module), part_of(imported)
    return ours != theirs and LAYER[theirs] >= LAYER[ours]


def test_every_part_has_its_layer():
    assert {part_of(module) for module in modules()} == set(LAYER)


def test_no_import_climbs():
    climbs = [
        f"{module} imports {imported}"
        for module in modules()
        for imported in imports(module)
        if climbing(module, imported)
    ]
    assert not climbs


def test_no_import_goes_in_a_circle():
    sorter = TopologicalSorter({module: imports(module) for module in modules()})
    try:
        sorter.prepare()
    except CycleError as error:
        pytest.fail(" imports ".join(error.args[1]))


def test_a_climb_would_be_seen():
    assert climbing("bluering.models.look", "bluering.validate.reference")
    assert climbing("bluering.monitor.view", "bluering.flash.stock")
    assert not climbing("bluering.models.look", "bluering.models.frontend")
    assert not climbing("bluering.models.look", "ear.audio.format")
