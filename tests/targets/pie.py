"""The vector instructions (PIE) of the modelled core: import `Core` from here.

Written from the ESP32-S3 Technical Reference Manual, chapter "Processor Instruction Extensions":
eight registers of 128 bits, a 40-bit accumulator ACCX that adds all lanes up, and QACC, two halves
of 160 bits, with an accumulator for each lane: 16 of 20 bits, or 8 of 40. Lane 0 is the lowest.
Memory accesses ignore the low bits of the address: four bits for 16 bytes.
"""

from collections.abc import Callable

from tests.targets.lx7 import SEMANTICS, Core, CoreError, semantics, signed

__all__ = ["Core", "CoreError"]

_ADDRESS = 0xFFFFFFFF


def lanes(register: bytes, bits: int, is_signed: bool) -> list[int]:
    """The numbers in a register, lane 0 first."""
    size = bits // 8
    return [
        int.from_bytes(register[i : i + size], "little", signed=is_signed)
        for i in range(0, 16, size)
    ]


def pack(values: list[int], bits: int) -> bytes:
    """A register of the low bits of these numbers."""
    return b"".join((value & (1 << bits) - 1).to_bytes(bits // 8, "little") for value in values)


def _clamp(value: int, bits: int) -> int:
    return min(max(value, -(1 << bits - 1)), (1 << bits - 1) - 1)


def _load(core: Core, s: int, step: int) -> bytes:
    address = core.a[s] & ~15
    core.a[s] = core.a[s] + step & _ADDRESS
    return core.read(address, 16).to_bytes(16, "little")


def _store(core: Core, s: int, step: int, value: int, size: int) -> None:
    core.write(core.a[s] & -size, size, value)
    core.a[s] = core.a[s] + step & _ADDRESS


@semantics("ee.vld.128.ip")
def _vld_ip(u, s, step):
    def run(core):
        core.q[u] = _load(core, s, step)

    return run


@semantics("ee.vld.128.xp")
def _vld_xp(u, s, d):
    def run(core):
        core.q[u] = _load(core, s, core.a[d])

    return run


@semantics("ee.vst.128.ip")
def _vst_ip(v, s, step):
    return lambda core: _store(core, s, step, int.from_bytes(core.q[v], "little"), 16)


@semantics("ee.vst.128.xp")
def _vst_xp(v, s, d):
    return lambda core: _store(core, s, core.a[d], int.from_bytes(core.q[v], "little"), 16)


def _broadcast(name: str, size: int) -> None:
    def make(u, s):
        def run(core):
            core.q[u] = core.read(core.a[s] & -size, size).to_bytes(size, "little") * (16 // size)

        return run

    SEMANTICS[name] = make


_broadcast("ee.vldbc.8", 1)
_broadcast("ee.vldbc.16", 2)


@semantics("ee.zero.q")
def _zero_q(d):
    def run(core):
        core.q[d] = bytes(16)

    return run


@semantics("ee.zero.accx")
def _zero_accx():
    def run(core):
        core.accx = 0

    return run


@semantics("ee.zero.qacc")
def _zero_qacc():
    def run(core):
        core.qacc_l = core.qacc_h = 0

    return run


@semantics("rur.accx_0")
def _rur_accx_0(r):
    def run(core):
        core.a[r] = core.accx & 0xFFFFFFFF

    return run


def _bitwise(name: str, compute: Callable[[int, int], int]) -> None:
    def make(d, x, y):
        def run(core):
            pairs = zip(core.q[x], core.q[y], strict=True)
            core.q[d] = bytes(compute(a, b) for a, b in pairs)

        return run

    SEMANTICS[name] = make


_bitwise("ee.andq", lambda x, y: x & y)
_bitwise("ee.xorq", lambda x, y: x ^ y)


def _lanewise_16(name: str, compute: Callable[[int, int, Core], int]) -> None:
    def make(d, x, y):
        def run(core):
            pairs = zip(lanes(core.q[x], 16, True), lanes(core.q[y], 16, True), strict=True)
            core.q[d] = pack([compute(a, b, core) for a, b in pairs], 16)

        return run

    SEMANTICS[name] = make


_lanewise_16("ee.vmul.s16", lambda x, y, core: x * y >> core.sar)  # not saturated
_lanewise_16("ee.vadds.s16", lambda x, y, _: _clamp(x + y, 16))
_lanewise_16("ee.vsubs.s16", lambda x, y, _: _clamp(x - y, 16))
_lanewise_16("ee.vmax.s16", lambda x, y, _: max(x, y))
_lanewise_16("ee.vmin.s16", lambda x, y, _: min(x, y))


@semantics("ee.vzip.16")
def _vzip_16(x, y):
    def run(core):
        pairs = zip(lanes(core.q[x], 16, False), lanes(core.q[y], 16, False), strict=True)
        both = [value for pair in pairs for value in pair]
        core.q[x], core.q[y] = pack(both[:8], 16), pack(both[8:], 16)

    return run


@semantics("ee.vunzip.16")
def _vunzip_16(x, y):
    def run(core):
        both = lanes(core.q[x], 16, False) + lanes(core.q[y], 16, False)
        core.q[x], core.q[y] = pack(both[::2], 16), pack(both[1::2], 16)

    return run


def into_accx_u8(core: Core, x: bytes, y: bytes) -> None:
    """Add the unsigned products of all lanes to ACCX, which saturates at 40 bits."""
    total = core.accx + sum(a * b for a, b in zip(x, y, strict=True))
    core.accx = min(total, (1 << 40) - 1)


def _into_qacc(core: Core, x: bytes, y: bytes, bits: int) -> None:
    """Signed products of lanes of ``bits`` bits into accumulators of 20 or 40, saturating."""
    wide = 20 * bits // 8
    products = [a * b for a, b in zip(lanes(x, bits, True), lanes(y, bits, True), strict=True)]
    half = len(products) // 2
    core.qacc_l = _accumulate(core.qacc_l, products[:half], wide)
    core.qacc_h = _accumulate(core.qacc_h, products[half:], wide)


def _accumulate(half: int, products: list[int], bits: int) -> int:
    result = 0
    for lane, product in enumerate(products):
        total = _clamp(signed(half >> bits * lane, bits) + product, bits)
        result |= (total & (1 << bits) - 1) << bits * lane
    return result


@semantics("ee.vmulas.u8.accx")
def _vmulas_u8_accx(x, y):
    return lambda core: into_accx_u8(core, core.q[x], core.q[y])


@semantics("ee.vmulas.s8.qacc")
def _vmulas_s8_qacc(x, y):
    return lambda core: _into_qacc(core, core.q[x], core.q[y], 8)


@semantics("ee.vmulas.s16.qacc")
def _vmulas_s16_qacc(x, y):
    return lambda core: _into_qacc(core, core.q[x], core.q[y], 16)


# The fused forms multiply what the registers held before the load.


@semantics("ee.vmulas.u8.accx.ld.ip")
def _vmulas_u8_accx_ld_ip(u, s, step, x, y):
    def run(core):
        into_accx_u8(core, core.q[x], core.q[y])
        core.q[u] = _load(core, s, step)

    return run


@semantics("ee.vmulas.s8.qacc.ld.xp")
def _vmulas_s8_qacc_ld_xp(u, s, d, x, y):
    def run(core):
        _into_qacc(core, core.q[x], core.q[y], 8)
        core.q[u] = _load(core, s, core.a[d])

    return run


@semantics("ee.vmulas.s16.qacc.ld.ip")
def _vmulas_s16_qacc_ld_ip(u, s, step, x, y):
    def run(core):
        _into_qacc(core, core.q[x], core.q[y], 16)
        core.q[u] = _load(core, s, step)

    return run


@semantics("ee.srcmb.s16.qacc")
def _srcmb_s16_qacc(u, s, _):
    """Shift the accumulators right, in place, and take them saturated to 16 bits."""

    def run(core):
        shift = core.a[s] & 63
        halves, results = [], []
        for half in (core.qacc_l, core.qacc_h):
            shifted = [signed(half >> 40 * lane, 40) >> shift for lane in range(4)]
            results += [_clamp(value, 16) for value in shifted]
            halves.append(
                sum((value & (1 << 40) - 1) << 40 * lane for lane, value in enumerate(shifted))
            )
        core.qacc_l, core.qacc_h = halves
        core.q[u] = pack(results, 16)

    return run


def _read_qacc(name: str, half: str, word: int) -> None:
    def make(r):
        def run(core):
            core.a[r] = getattr(core, half) >> 32 * word & 0xFFFFFFFF

        return run

    SEMANTICS[name] = make


for _word in range(5):
    _read_qacc(f"rur.qacc_l_{_word}", "qacc_l", _word)
    _read_qacc(f"rur.qacc_h_{_word}", "qacc_h", _word)
