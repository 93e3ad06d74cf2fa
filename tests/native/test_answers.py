"""Known-answer tests on the device: right kernels pass, wrong ones are never used."""

import random
from collections import defaultdict
from dataclasses import dataclass
from hashlib import sha256

import pytest

from bluering.native.build import SOURCES, build
from bluering.native.files import device_files
from ear.kernels import Kernels
from ear.link.frames import CRC, CRC_TABLE, frame_size
from ear.native import NativeError, answers, verify
from ear.privacy import adpcm
from tests.native import world
from tests.native.test_frontend import hops, signals
from tests.native.test_spotter import features, stream
from tests.peers import every_model
from tests.targets.native import kernels_on
from tests.targets.pie import Core, CoreError
from tests.targets.xtensa import QemuMissingError

FLIPS = 200


@dataclass
class Answer:
    """One call of a viper kernel: its arguments, what it returned and what it left in them."""

    arguments: list[int | bytearray]
    result: int
    left: list[int | bytearray]


@pytest.fixture(scope="module")
def vipers(tmp_path_factory):
    try:
        with world.viper_under_qemu(tmp_path_factory.mktemp("viper")) as modules:
            yield modules
    except QemuMissingError as error:
        pytest.skip(str(error))


def check(part, vipers, core, **changed):
    module = world.native_module(part, core)
    for name, function in changed.items():
        setattr(module, name, function)
    return answers.check(part, Kernels(vipers[part]), module, lambda buffer: buffer)


@pytest.mark.parametrize("part", world.TWINS)
def test_right_kernels_pass(part, vipers):
    core = Core(world.native_code(part))
    functions, wrong = check(part, vipers, core)
    assert set(functions) == set(core.functions)
    assert wrong == []
    assert set(core.counts) == set(core.functions)  # each was tried


@pytest.mark.parametrize("fault", ["result", "output", "input", "margin"])
def test_wrong_kernel_is_told_from_right_ones(fault, vipers):
    core = Core(world.native_code("spotter"))

    def transfer(source, to, count):
        core.call("transfer", source, to, count)
        if fault == "output":
            to[count - 1] ^= 1
        if fault == "input":
            source[0] ^= 128
        if fault == "margin":
            to[count + 3] = 0
        return int(fault == "result")

    functions, wrong = check("spotter", vipers, core, transfer=transfer)
    assert wrong == ["transfer"]
    assert "conv" in functions


def test_kernel_that_is_not_tried_counts_as_wrong(vipers):
    core = Core(world.native_code("spotter"))
    vipers["spotter"].untried = lambda: 0
    try:
        _, wrong = check("spotter", vipers, core, untried=lambda: 0)
    finally:
        del vipers["spotter"].untried
    assert wrong == ["untried"]


def recorded(part, vipers, monkeypatch) -> dict[str, list[Answer]]:
    """The answers that a known-answer test compares with, by kernel."""
    found = defaultdict(list)
    core = Core(world.native_code(part))
    module = world.native_module(part, core)

    def record(twin, function, arguments, _address):
        copies = [answers._copied(argument) for argument in arguments]
        before = [bytearray(c) if isinstance(c, bytearray) else c for c in copies]
        result = twin(*copies) or 0
        found[names[function]].append(Answer(before, result, copies))
        return True

    monkeypatch.setattr(answers, "agree", record)
    names = {getattr(module, name): name for name in core.functions}
    answers.check(part, Kernels(vipers[part]), module, lambda buffer: buffer)
    return dict(found)


def right(core: Core, name: str, expected: list[Answer]) -> bool:
    """Whether a kernel on the core gives these answers; a crash is no answer."""
    for answer in expected:
        copies = [bytearray(a) if isinstance(a, bytearray) else a for a in answer.arguments]
        try:
            result = core.call(name, *copies)
        except CoreError:
            return False
        if result != answer.result or copies != answer.left:
            return False
    return True


def outcome(part: str, core: Core) -> list:
    """What comes of a part's kernels in use: features, probabilities, codes."""
    if part == "adpcm":
        samples = random.Random(3).randbytes(640)
        codes, state = bytearray(160), adpcm.new_state()
        core.call("encode", samples, codes, state, 320)
        return [codes, state]
    if part == "mic":
        words, hop = random.Random(4).randbytes(640), bytearray(320)
        core.call("narrow", words, hop, 160, 16)
        return [hop]
    if part == "link":
        left = []
        for size in (12, 120, 460):
            message = bytearray(random.Random(size).choices((0, 1, 2, 255), k=size)) + bytes(CRC)
            out = bytearray(frame_size(size))
            left += [core.call("seal", message, size, out, 0, CRC_TABLE), message, out]
        return left
    kernels = kernels_on(core)
    if part == "frontend":
        from ear.audio.frontend import FrontEnd

        heard = []
        for name in ("one bit", "speech level", "one lowest sample", "full square wave"):
            end = FrontEnd(kernels)
            some = hops(signals()[name])[:5]
            heard += [(end.push(hop), end.peak, list(end.raw)) for hop in some]
        return heard
    from ear.spotter.model import Model

    models = [Model(word.blob, kernels) for word in every_model().values()]
    return [stream(model, features(9, 12)) for model in models]


def test_no_flipped_bit_gives_a_wrong_result(vipers, monkeypatch):
    """200 bits of machine code: the digest refuses each file, and the known answers each kernel
    whose results would be others."""
    chooser = random.Random(200)
    code = {part: world.native_code(part) for part in world.TWINS}
    known = {part: recorded(part, vipers, monkeypatch) for part in world.TWINS}
    for part, functions in code.items():
        for name in functions:
            assert right(Core(functions), name, known[part][name]), name
    usual = {part: outcome(part, Core(code[part])) for part in world.TWINS}
    bits = [
        (part, name, bit)
        for part, functions in code.items()
        for name, function in functions.items()
        for bit in range(8 * len(function))
    ]
    files = {part: build(SOURCES / f"{part}.py") for part in world.TWINS}
    survivors = []
    for part, name, bit in chooser.sample(bits, FLIPS):
        flipped = bytearray(code[part][name])
        flipped[bit // 8] ^= 1 << bit % 8
        data = files[part].replace(code[part][name], bytes(flipped))
        assert data != files[part]
        with pytest.raises(NativeError, match="damaged"):
            verify(part, data, sha256(files[part]).hexdigest())
        core = Core({**code[part], name: bytes(flipped)})
        core.limit = 200_000
        if right(core, name, known[part][name]):
            survivors.append((part, name, bit))
            assert outcome(part, core) == usual[part], survivors[-1]
    print(len(survivors), "of", FLIPS, "pass the known-answer test:", survivors)
    assert len(survivors) < FLIPS // 5  # bits that mean nothing are few


def test_digests_are_those_of_the_files():
    files = device_files()
    assert set(files) == {f"ear/native/{part}.mpy" for part in world.PARTS} | {
        "ear/native/index.json"
    }
