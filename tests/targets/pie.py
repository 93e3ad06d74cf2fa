"""The vector instructions (PIE) of the modelled core: import `Core` from here.

Written from the ESP32-S3 Technical Reference Manual, chapter "Processor Instruction Extensions":
eight registers of 128 bits, a 40-bit accumulator ACCX that adds all lanes up, and QACC, two halves
of 160 bits, with an accumulator of 20 bits for each lane of a byte. Lane 0 is the lowest. Memory
accesses of 16 bytes ignore the low four bits of the address. Only what the kernels use is here.
"""

from tests.targets.lx7 import SEMANTICS, Core, CoreError, semantics, signed

__all__ = ["Core", "CoreError"]

_ADDRESS = 0xFFFFFFFF


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


@semantics("ee.vldbc.8")
def _vldbc_8(u, s):
    def run(core):
        core.q[u] = bytes([core.read(core.a[s], 1)]) * 16

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


@semantics("ee.xorq")
def _xorq(d, x, y):
    def run(core):
        core.q[d] = bytes(a ^ b for a, b in zip(core.q[x], core.q[y], strict=True))

    return run


def into_accx_u8(core: Core, x: bytes, y: bytes) -> None:
    """Add the unsigned products of all lanes to ACCX, which saturates at 40 bits."""
    total = core.accx + sum(a * b for a, b in zip(x, y, strict=True))
    core.accx = min(total, (1 << 40) - 1)


def _into_qacc_s8(core: Core, x: bytes, y: bytes) -> None:
    """Signed products of lanes into accumulators of 20 bits, which saturate."""
    products = [signed(a, 8) * signed(b, 8) for a, b in zip(x, y, strict=True)]
    core.qacc_l = _accumulate(core.qacc_l, products[:8])
    core.qacc_h = _accumulate(core.qacc_h, products[8:])


def _accumulate(half: int, products: list[int]) -> int:
    result = 0
    for lane, product in enumerate(products):
        total = signed(half >> 20 * lane, 20) + product
        total = min(max(total, -(1 << 19)), (1 << 19) - 1)
        result |= (total & (1 << 20) - 1) << 20 * lane
    return result


@semantics("ee.vmulas.u8.accx")
def _vmulas_u8_accx(x, y):
    return lambda core: into_accx_u8(core, core.q[x], core.q[y])


@semantics("ee.vmulas.s8.qacc")
def _vmulas_s8_qacc(x, y):
    return lambda core: _into_qacc_s8(core, core.q[x], core.q[y])


@semantics("ee.vmulas.u8.accx.ld.ip")
def _vmulas_u8_accx_ld_ip(u, s, step, x, y):
    """What is multiplied is what the registers held before the load."""

    def run(core):
        into_accx_u8(core, core.q[x], core.q[y])
        core.q[u] = _load(core, s, step)

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
