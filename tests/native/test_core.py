"""The model of the core: its scalar part against QEMU, its vector part against the manual."""

import random
from array import array
from functools import partial

import pytest

from bluering.native.build import build
from tests.targets.mpyfile import native_functions
from tests.targets.native import NativeXtensa
from tests.targets.pie import Core, CoreError, into_accx_u8
from tests.targets.xtensa import QemuMissingError

HEADER = """
import micropython

def arguments():
    l32i(a2, a5, 0)
    srai(a2, a2, 1)
    l32i(a3, a5, 4)
    srai(a3, a3, 1)
    l32i(a4, a5, 8)
    srai(a4, a4, 1)

"""
# For each pair of words in x: a10 = f(a8, a9), stored in y.
SCALAR = """
@micropython.asm_xtensa
def kernel():
    arguments()
    label(NEXT)
    l32i(a8, a2, 0)
    l32i(a9, a2, 4)
    movi_n(a10, 7)
{body}
    s32i(a10, a3, 0)
    addi(a2, a2, 8)
    addi(a3, a3, 4)
    addi_n(a4, a4, -1)
    bnez(a4, NEXT)
    movi_n(a2, 1)
"""
THREE = ["add", "sub", "addx2", "addx4", "addx8", "and_", "or_", "xor", "mull", "max_", "min_"]
THREE += ["moveqz", "add_n"]
BRANCHES = ["beq", "blt", "bge"]
BODIES = (
    {name: f"    {name}(a10, a8, a9)" for name in THREE}
    | {name: f"    {name}(a8, a9, S)\n    movi_n(a10, 9)\n    label(S)" for name in BRANCHES}
    | {
        f"{name} {n}": f"    {name}(a8, {n}, S)\n    movi_n(a10, 9)\n    label(S)"
        for name in ("bbci", "bbsi")
        for n in (0, 15, 31)
    }
    | {
        name: f"    {name}(a8, S)\n    movi_n(a10, 9)\n    label(S)"
        for name in ("beqz", "bnez", "bgez")
    }
    | {name: f"    {name}(a10, a8)" for name in ("abs_", "neg", "nsa", "nsau", "mov")}
    | {f"slli {n}": f"    slli(a10, a8, {n})" for n in (1, 17, 31)}
    | {f"srli {n}": f"    srli(a10, a8, {n})" for n in (0, 9, 15)}
    | {f"srai {n}": f"    srai(a10, a8, {n})" for n in (0, 19, 31)}
    | {f"sext {n}": f"    sext(a10, a8, {n})" for n in (7, 15, 19, 22)}
    | {f"clamps {n}": f"    clamps(a10, a8, {n})" for n in (7, 15, 22)}
    | {f"extui {n}": f"    extui(a10, a8, {n}, {w})" for n, w in ((0, 16), (31, 1), (14, 9))}
    | {f"addi {n}": f"    addi(a10, a8, {n})" for n in (-128, 127)}
    | {f"addi_n {n}": f"    addi_n(a10, a8, {n})" for n in (-1, 15)}
    | {f"addmi {n}": f"    addmi(a10, a8, {n})" for n in (-32768, 32512)}
    | {f"movi {n}": f"    movi(a10, {n})" for n in (-2048, 2047, 2048, -70000, 1 << 29)}
    | {f"movi_n {n}": f"    movi_n(a10, {n})" for n in (-32, 95)}
    | {f"ssai {n}": f"    ssai({n})\n    src(a10, a8, a9)" for n in (0, 1, 16, 31)}
    | {f"ssr {op}": f"    ssr(a9)\n    {op}(a10, a8)" for op in ("srl", "sra")}
    | {"ssl": "    ssl(a9)\n    sll(a10, a8)", "ssr": "    ssr(a9)\n    src(a10, a8, a9)"}
    | {"ssl src": "    ssl(a9)\n    src(a10, a8, a9)"}
    | {"jump": "    j(S)\n    movi_n(a10, 9)\n    label(S)"}
    | {
        f"{name}": f"    extui(a9, a9, 0, 5)\n    addi_n(a9, a9, 1)\n    {name}(a9, S)\n"
        "    addi_n(a10, a10, 3)\n    xor(a10, a10, a8)\n    label(S)"
        for name in ("loop", "loopnez")
    }
    | {"loopnez none": "    movi_n(a9, 0)\n    loopnez(a9, S)\n    movi_n(a10, 9)\n    label(S)"}
    | {
        f"{load} {store}": f"    {store}(a8, a3, 0)\n    {load}(a10, a3, 0)"
        for load in ("l8ui", "l16ui", "l16si", "l32i", "l32i_n")
        for store in ("s8i", "s16i", "s32i", "s32i_n")
    }
)
EDGES = [0, 1, 2, 7, 31, 32, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000]


def assembled(tmp_path, text: str) -> dict[str, bytes]:
    source = tmp_path / "kernels.py"
    source.write_text(HEADER + text)
    return native_functions(build(source))


def word_pairs() -> array:
    chooser = random.Random(8)
    words = EDGES + [0xFFFFFFFF - word for word in EDGES]
    pairs = [(s, t) for s in words for t in words[::3]]
    pairs += [(chooser.getrandbits(32), chooser.getrandbits(32)) for _ in range(100)]
    return array("I", [word for s, t in pairs if t for word in (s, t)])


@pytest.mark.parametrize("name", BODIES)
def test_scalar_instructions_are_qemus(tmp_path, name):
    try:
        qemu = NativeXtensa({})
    except QemuMissingError as error:
        pytest.skip(str(error))
    functions = assembled(tmp_path, SCALAR.format(body=BODIES[name]))
    x = word_pairs()
    results = []
    core = Core(functions)
    qemu.functions = functions
    for machine in (core, qemu):
        y = array("I", bytes(2 * len(x)))
        assert machine.call("kernel", x, y, len(x) // 2) == 0
        results.append(y)
    assert results[0] == results[1]
    assert core.counts == qemu.counts


def test_high_product(tmp_path):
    """By definition: no processor of QEMU's has this instruction, the S3's has."""
    x = word_pairs()
    y = array("I", bytes(2 * len(x)))
    core = Core(assembled(tmp_path, SCALAR.format(body="    mulsh(a10, a8, a9)")))
    core.call("kernel", x, y, len(x) // 2)
    numbers = array("i", x.tobytes())
    products = [s * t >> 32 & 0xFFFFFFFF for s, t in zip(numbers[::2], numbers[1::2], strict=True)]
    assert list(y) == products


VECTOR = """
@micropython.asm_xtensa
def kernel():
    arguments()
    ee_zero_accx()
    ee_zero_qacc()
    mov(a6, a2)
    ee_vld_128_ip(q0, a6, 16)
    ee_vld_128_ip(q1, a6, 16)
    ee_vld_128_ip(q2, a6, 16)
    movi(a10, 0)
{body}
    mov(a6, a3)
    ee_vst_128_ip(q0, a6, 16)
    ee_vst_128_ip(q1, a6, 16)
    ee_vst_128_ip(q2, a6, 16)
    rur_accx_0(a8)
    s32i(a8, a6, 0)
    s32i(a10, a6, 4)
    movi_n(a2, 1)
"""


def vectors(tmp_path, body: str, *registers: bytes) -> tuple[list[bytes], int, int]:
    """q0, q1, q2, the low word of ACCX and a10 after some instructions."""
    text = VECTOR.format(body="\n".join("    " + line.strip() for line in body.split("\n")))
    x = b"".join(registers).ljust(64, b"\0")
    y = bytearray(64)
    Core(assembled(tmp_path, text)).call("kernel", x, y, 0)
    words = array("I", bytes(y[48:56]))
    return [bytes(y[i : i + 16]) for i in (0, 16, 32)], words[0], words[1]


def test_loads_and_stores_ignore_the_low_four_bits(tmp_path):
    text = """
@micropython.asm_xtensa
def kernel():
    arguments()
    addi(a2, a2, 13)
    ee_vld_128_ip(q0, a2, 16)
    addi(a3, a3, 31)
    ee_vst_128_ip(q0, a3, -16)
    ee_vld_128_ip(q1, a2, 0)
    ee_vst_128_ip(q1, a3, 0)
    movi_n(a2, 1)
"""
    x, y = bytes(range(48)), bytearray(48)
    Core(assembled(tmp_path, text)).call("kernel", x, y, 0)
    assert y == x[16:32] + x[0:16] + bytes(16)


def test_register_step_and_broadcast(tmp_path):
    body = """movi(a7, 32)
        mov(a6, a2)
        ee_vld_128_xp(q0, a6, a7)
        ee_vld_128_xp(q1, a6, a7)
        addi(a6, a2, 5)
        ee_vldbc_8(q2, a6)"""
    got, _, _ = vectors(tmp_path, body, bytes(range(64)))
    assert got == [bytes(range(16)), bytes(range(32, 48)), bytes([5]) * 16]


def test_bitwise(tmp_path):
    x, y = bytes(range(16)), bytes([0x85] * 16)
    got, _, _ = vectors(tmp_path, "ee_xorq(q2, q0, q1)", x, y)
    assert got == [x, y, bytes(a ^ 0x85 for a in x)]


def test_accx_adds_unsigned_products_of_all_lanes(tmp_path):
    x, y = bytes([255] * 16), bytes([255] * 15 + [1])
    body = "ee_vmulas_u8_accx(q0, q1)\nee_vmulas_u8_accx(q0, q1)"
    _, accx, _ = vectors(tmp_path, body, x, y)
    assert accx == 2 * (15 * 255 * 255 + 255)


def test_accx_is_40_bits_wide_and_saturates():
    x = bytes([255] * 16)
    core = Core({})
    for start, expected in (
        (0xFFFF_FFFF, 0xFFFF_FFFF + 16 * 65025),
        ((1 << 40) - 16 * 65025 - 1, (1 << 40) - 1),
        ((1 << 40) - 16 * 65025, (1 << 40) - 1),
        ((1 << 40) - 1, (1 << 40) - 1),
    ):
        core.accx = start
        into_accx_u8(core, x, x)
        assert core.accx == expected


def test_fused_load_multiplies_what_was_there_before(tmp_path):
    x, y = bytes(range(16)), bytes([2] * 16)
    body = "mov(a6, a2)\nee_vmulas_u8_accx_ld_ip(q0, a6, 16, q0, q1)\nsub(a10, a6, a2)"
    got, accx, step = vectors(tmp_path, body, x, y)
    assert (accx, step) == (2 * sum(range(16)), 16)
    assert got[0] == x


def qacc(tmp_path, body: str, *registers: bytes) -> list[int]:
    """The ten words of QACC, the low half first."""
    read = "".join(
        f"    rur_qacc_{half}_{word}(a8)\n    s32i(a8, a3, {20 * (half == 'h') + 4 * word})\n"
        for half in "lh"
        for word in range(5)
    )
    text = VECTOR.split("    mov(a6, a3)")[0].format(body=body) + read + "    movi_n(a2, 1)\n"
    y = bytearray(64)
    Core(assembled(tmp_path, text)).call("kernel", b"".join(registers).ljust(64, b"\0"), y, 0)
    return list(array("I", bytes(y[:40])))


def lanes_of(words: list[int]) -> list[int]:
    """The 16 accumulators of 20 bits, lane 0 first."""
    halves = (sum(word << 32 * i for i, word in enumerate(half)) for half in (words[:5], words[5:]))
    lanes = [number >> 20 * lane & (1 << 20) - 1 for number in halves for lane in range(8)]
    return [value - (value >> 19 << 20) for value in lanes]


def test_qacc_has_16_lanes_of_20_bits_that_saturate(tmp_path):
    x = array("b", [-128, 127, 1, -1] * 4).tobytes()
    y = array("b", [-128, -128, 3, 3] + [-128, 127, 100, -100] + [0, 1, 2, 3] * 2).tobytes()
    products = [a * b for a, b in zip(array("b", x), array("b", y), strict=True)]
    for times in (1, 31, 32, 40):
        body = "    movi(a7, {0})\n    loop(a7, S)\n    ee_vmulas_s8_qacc(q0, q1)\n    label(S)\n"
        words = qacc(tmp_path, body.format(times), x, y)
        rails = -(1 << 19), (1 << 19) - 1
        assert lanes_of(words) == [min(max(p * times, rails[0]), rails[1]) for p in products]


CALLER = """
@micropython.asm_xtensa
def kernel():
    l32i(a10, a5, 0)
    srai(a10, a10, 1)
    l32i(a8, a10, 12)
    movi_n(a4, 40)
    movi_n(a6, 60)
    movi_n(a11, 0)
    movi_n(a12, 0)
    mov(a13, a5)
    callx8(a8)
    add_n(a2, a4, a6)
    add_n(a2, a2, a10)

@micropython.asm_xtensa
def called():
    movi_n(a4, 9)
    movi_n(a6, 9)
    movi_n(a8, 9)
{body}
    movi_n(a2, 7)
"""


def test_caller_keeps_its_registers_and_gets_the_result(tmp_path):
    core = Core(assembled(tmp_path, CALLER.format(body="    s32i(a8, a1, 12)")))
    assert core.call("kernel", core.locate(partial(core.call, "called"))[1]) == (40 + 60 + 7) >> 1
    assert core.counts == {"kernel": 15, "called": 9}


def test_what_the_called_function_does_to_the_callers_frame_is_seen(tmp_path):
    """Its own frame is 48 bytes; 16 bytes behind that is where the caller's a4 is saved."""
    body = "    addi_n(a8, a8, -1)\n    s32i(a8, a1, 64)"
    core = Core(assembled(tmp_path, CALLER.format(body=body)))
    assert core.call("kernel", core.locate(partial(core.call, "called"))[1]) == (8 + 60 + 7) >> 1


def test_only_a_functions_beginning_can_be_called(tmp_path):
    core = Core(assembled(tmp_path, CALLER.format(body="    nop()")))
    code, _ = core.locate(partial(core.call, "called"))
    words = array("I", [0, 0, 0, code + 3])
    with pytest.raises(CoreError, match="where no function begins"):
        core.call("kernel", core.address(words))


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        ("    l32i(a8, a2, 1020)", "outside the buffers"),
        ("    s32i(a8, a2, 0)", "outside the buffers"),  # x is read-only
        ("    addi(a2, a2, 1)\n    l16ui(a8, a2, 0)", "isn't aligned"),
        ("    label(S)\n    j(S)", "endless loop"),
        ("    jx(a2)", "isn't modelled"),
        ("    data(3, 0xffffff)\n    data(3, 0xffffff)", "no instruction|isn't modelled"),
        ("    movi_n(a10, 1)\n    mov(a2, a10)\n    slli(a2, a2, 1)\n    j(OUT)", "small integer"),
    ],
)
def test_wild_code_ends_the_call(tmp_path, body, complaint):
    text = "@micropython.asm_xtensa\ndef kernel():\n    arguments()\n" + body
    text += "\n    movi_n(a2, 1)\n    label(OUT)\n    nop()\n"
    core = Core(assembled(tmp_path, text))
    core.limit = 10_000
    with pytest.raises(CoreError, match=complaint):
        core.call("kernel", bytes(64), bytearray(64), 0)
