"""Choosing kernels when a device starts: native where they prove themselves, else viper."""

import json
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import ear.native
from bluering.native.files import device_files
from ear import sequence
from ear.native import INDEX, Loading, NativeError, Trial, load
from tests.native import world
from tests.targets.xtensa import QemuMissingError

S3 = SimpleNamespace(_mpy=10 << 10 | 3 << 8 | 6, _machine="Generic ESP32S3 module with ESP32S3")
LONGEST_TEXT = 255  # bytes of a message's text


class Memory:
    """A trial that remembers in a list what happened."""

    def __init__(self, failed: bool = False) -> None:
        self.events: list[str] = []
        self._failed = failed

    def __call__(self, _index: bytes) -> "Memory":
        return self

    def failed(self) -> bool:
        return self._failed

    def begin(self) -> None:
        self.events.append("begin")

    def end(self) -> None:
        self.events.append("end")


def load_from(folder: Path, memory: Any) -> Any:
    return load(str(folder), memory)


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("device")
    for path, data in device_files().items():
        (folder / path.rpartition("/")[2]).write_bytes(data)
    return folder


@pytest.fixture
def folder(files, tmp_path):
    for file in files.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


@pytest.fixture
def chip(monkeypatch, tmp_path_factory):
    """An ESP32-S3 whose native modules run on the modelled core, which may call viper ones."""
    core = world.whole_core()
    monkeypatch.setattr(ear.native, "sys", SimpleNamespace(implementation=S3, modules=sys.modules))
    addresses = ModuleType("uctypes")
    vars(addresses)["addressof"] = core.address
    monkeypatch.setitem(sys.modules, "uctypes", addresses)
    monkeypatch.setattr(ear.native, "locate", core.locate)
    for part in world.PARTS:
        module = world.native_module(part, core)
        monkeypatch.setitem(sys.modules, f"ear.native.{part}", module)
        monkeypatch.setattr(ear.native, part, module, raising=False)
    try:
        with world.viper_under_qemu(tmp_path_factory.mktemp("viper")):
            yield core
    except QemuMissingError as error:
        pytest.skip(str(error))


@pytest.mark.usefixtures("chip")
def test_a_start_that_ends_before_they_are_tried_is_not_held_against_them(folder):
    memory: Any = Memory()
    loading: Any = Loading(str(folder), memory)
    assert memory.events == []
    assert loading.finish().reasons == []
    assert memory.events == ["begin", "end"]


def test_all_native_kernels_are_used_on_the_chip(chip, folder):
    memory = Memory()
    native = load_from(folder, memory)
    assert native.reasons == []
    assert len(native.names) == len(chip.functions)
    some = {"frontend.window", "spotter.conv", "adpcm.encode", "mic.narrow", "link.seal"}
    assert some < set(native.names)
    assert vars(native.spotter)["conv"].args == ("conv",)  # the native one
    assert vars(native.adpcm)["encode"].args == ("encode",)
    assert memory.events == ["begin", "end"]
    assert native.told() == "adpcm, frontend 11/11, link, mic, sequence, spotter 4/4"
    assert len(native.told()) <= LONGEST_TEXT
    for kernels in (native.frontend, native.spotter):
        chosen = kernels.sequence(((print, (0, 0)),))
        assert chosen.run.args == ("run",)


@pytest.mark.usefixtures("chip")
def test_known_answer_tests_leave_nothing_behind(folder):
    load_from(folder, Memory())
    assert "ear.native.answers" not in sys.modules
    assert not hasattr(ear.native, "answers")


@pytest.mark.usefixtures("chip")
def test_a_damaged_file_costs_its_own_kernels_only(folder):
    data = bytearray((folder / "spotter.mpy").read_bytes())
    data[100] ^= 4
    (folder / "spotter.mpy").write_bytes(data)
    native = load_from(folder, Memory())
    assert native.reasons == ["spotter: spotter is damaged"]
    assert "frontend.window" in native.names
    assert not any(name.startswith("spotter.") for name in native.names)


def test_a_wrong_kernel_costs_itself_only(chip, folder):
    """The quantiser's factor is another: 25191 + 256."""
    functions = chip.functions
    wrong = functions["quantise"].replace((25191).to_bytes(4, "little"), b"\x67\x63\0\0")
    assert wrong != functions["quantise"]
    functions["quantise"] = wrong
    native = load_from(folder, Memory())
    assert native.reasons == ["frontend.quantise gives wrong answers"]
    assert "frontend.quantise" not in native.names
    assert "frontend 10/11" in native.told()
    assert "frontend.logarithms" in native.names


def test_a_wrong_run_leaves_the_sequences_to_python(chip, folder):
    """It returns the number of calls, not the first one's result."""
    functions = chip.functions
    wrong = functions["run"].replace(bytes.fromhex("222201"), bytes.fromhex("222200"))
    assert wrong != functions["run"]  # l32i a2, a2, 4 became l32i a2, a2, 0
    functions["run"] = wrong
    native = load_from(folder, Memory())
    assert native.reasons == ["sequence.run gives wrong answers"]
    assert "sequence.run" not in native.names
    assert native.frontend.sequence(((print, (0, 0)),)).run is sequence.run


@pytest.mark.usefixtures("chip")
def test_a_crash_while_trying_is_not_tried_again(folder):
    native = load_from(folder, Memory(failed=True))
    assert native.names == []
    assert native.reasons == ["trying them ended in a reset"]


@pytest.mark.usefixtures("chip")
@pytest.mark.parametrize("missing", [INDEX, "adpcm.mpy"])
def test_missing_files(folder, missing):
    (folder / missing).unlink()
    native = load_from(folder, Memory())
    assert f"there is no {missing}" in native.reasons[0]
    assert not any(name.startswith("adpcm.") for name in native.names)


@pytest.mark.usefixtures("chip")
@pytest.mark.parametrize("index", [b"", b"{", b"[1]", json.dumps({"adpcm": "0"}).encode()])
def test_nonsense_for_an_index_means_viper(folder, index):
    (folder / INDEX).write_bytes(index)
    native = load_from(folder, Memory())
    assert native.names == []
    assert native.reasons


@pytest.mark.usefixtures("chip")
@pytest.mark.parametrize(
    "implementation",
    [
        SimpleNamespace(),
        SimpleNamespace(_mpy=S3._mpy, _machine="Generic ESP32 module with ESP32"),
        SimpleNamespace(_mpy=S3._mpy, _machine="Generic ESP32S2 module with ESP32S2"),
        SimpleNamespace(_mpy=2 << 10 | 6, _machine="linux [GCC 14.2] version"),
    ],
)
def test_another_chip_is_left_alone(folder, monkeypatch, implementation):
    runtime = SimpleNamespace(implementation=implementation, modules=sys.modules)
    monkeypatch.setattr(ear.native, "sys", runtime)
    memory = Memory()
    native = load_from(folder, memory)
    assert (native.names, native.reasons) == ([], ["this is no ESP32S3"])
    assert (native.told(), native.suited) == ("", False)  # nothing that a person need know
    assert memory.events == []


class Store:
    """esp32.NVS, with what survives a reset."""

    flash: dict[str, int]

    def __init__(self, namespace: str) -> None:
        assert namespace == "native"
        self._pending: dict[str, int] = {}

    def get_i32(self, key: str) -> int:
        if key not in self.flash:
            raise OSError(-4354)
        return self.flash[key]

    def set_i32(self, key: str, value: int) -> None:
        self._pending[key] = value

    def commit(self) -> None:
        self.flash |= self._pending


def test_a_trial_remembers_over_a_reset(monkeypatch):
    Store.flash = {}
    monkeypatch.setitem(sys.modules, "esp32", SimpleNamespace(NVS=Store))
    trial = Trial(b"index")
    assert not trial.failed()
    trial.begin()
    assert Trial(b"index").failed()  # after a reset
    assert not Trial(b"another").failed()  # other kernels are another trial
    trial.end()
    assert not Trial(b"index").failed()


def test_machine_code_is_where_the_function_object_says(monkeypatch):
    memory = {0x3FC80010 + 12: 0x40375000}
    monkeypatch.setitem(sys.modules, "machine", SimpleNamespace(mem32=memory))
    monkeypatch.setattr(ear.native, "id", lambda _: 0x3FC80010, raising=False)
    assert ear.native.locate(print) == (0x40375000, 0x3FC80010)
    memory[0x3FC80010 + 12] = 0x3FC91234  # byte code, say
    with pytest.raises(NativeError, match="isn't where it should be"):
        ear.native.locate(print)


def test_reason_for_a_missing_file_is_told():
    with pytest.raises(NativeError, match=r"there is no index\.json"):
        ear.native._read("/nowhere", INDEX)
