"""A model of the ESP32-S3's core (LX7), instruction by instruction; ``pie.py`` adds its vectors.

QEMU's user-mode emulator has no PIE. This model runs the machine code of native kernels as
capstone decodes it, so an encoding that says something else than its source is seen. Semantics:
Xtensa Instruction Set Architecture reference manual. Only the instructions that the kernels and
their tests use are there; any other one, a wild jump and an access outside the buffers end the
call with `CoreError`.

    core = Core(native_functions(mpy))  # from pie.py: with the vector unit
    core.call("pointwise", x, weights, parameters, y)  # bytearray and array are updated
    core.counts["pointwise"]                           # instructions so far

Where a caller keeps addresses, as the firmware does, ``core.address(buffer)`` is the one of a
buffer for good; its offsets are numbers then.

A call enters the function as MicroPython does: a5 points to the argument objects, which are small
integers, of the buffers their addresses; it returns the small integer in a2.

Functions may call each other by callx8. Then a0 to a7 are the caller's own, and what the window's
overflow would save lies in the frame and is read back, so that a frame too small is seen.
"""

from __future__ import annotations

import array
import bisect
import struct
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from typing import NamedTuple

import capstone

Buffer = bytes | bytearray | array.array

_CODE, _DATA, _KEPT, _STACK = 0x40370000, 0x3C000000, 0x3D000000, 0x3FCA0000
_APART = 0x4000  # bytes from one function to the next
_FOREIGN = 0x40000000  # where functions lie that aren't machine code
_UNKNOWN = 0xBADC0DE5  # in a register that nobody has set
_GUARD = 32  # bytes between buffers that no access may touch
_MASK = 0xFFFFFFFF


class CoreError(Exception):
    """The machine code did what no kernel may do."""


class Operation(NamedTuple):
    """A decoded instruction: its action, which returns a jump's target, and the next address."""

    run: Callable[[Core], int | None]
    following: int


class Segment(NamedTuple):
    """A piece of memory."""

    start: int
    end: int
    view: memoryview
    writable: bool


def _segment(start: int, buffer: Buffer) -> Segment:
    view = memoryview(buffer).cast("B")
    return Segment(start, start + len(view), view, not view.readonly)


def _behind(segment: Segment) -> int:
    """Where the next segment may begin."""
    return segment.end + _GUARD + 15 & ~15


class Core:
    """Registers and memory of one core; each call begins with fresh ones.

    ``limit``: instructions after which a call counts as an endless loop.
    """

    limit = 20_000_000

    def __init__(self, functions: Mapping[str, bytes]) -> None:
        self.functions = dict(functions)
        self.counts: Counter[str] = Counter()
        self._decoded: dict[str, dict[int, Operation]] = {}
        self._kept: dict[int, tuple[Buffer, Segment]] = {}
        self._kept_segments: list[Segment] = []
        self._kept_starts: list[int] = []
        self._objects: dict[int, array.array] = {}
        self._foreign: dict[int, Callable[..., int | None]] = {}
        self.code, self.begin, self.top = b"", _CODE, 0
        self.memory: list[Segment] = []
        self._starts: list[int] = []
        self._reset()

    def address(self, buffer: Buffer) -> int:
        """Where a buffer lies from now on: at a multiple of 16, as MicroPython allocates it."""
        if id(buffer) not in self._kept:
            last = self._kept_segments[-1:]
            segment = _segment(_behind(last[0]) if last else _KEPT, buffer)
            self._kept[id(buffer)] = buffer, segment
            self._kept_segments.append(segment)
            self._kept_starts.append(segment.start)
        return self._kept[id(buffer)][1].start

    def locate(self, function: Callable[..., int | None]) -> tuple[int, int]:
        """Where the code and the object of a function lie that may be called by callx8.

        It is ``partial(core.call, name)``, or any other: that takes small integers, and buffers
        where these are the addresses of kept ones.
        """
        if isinstance(function, partial) and function.func == self.call:
            code = self._place(function.args[0])
        else:
            known = {f: code for code, f in self._foreign.items()}
            code = known.get(function, _FOREIGN + 16 * len(self._foreign))
            self._foreign[code] = function
        if code not in self._objects:
            self._objects[code] = array.array("I", [0, 0, 0, code])
        return code, self.address(self._objects[code])

    def call(self, name: str, *arguments: int | Buffer) -> int:
        """Run a function; its result as a signed number.

        Raises `CoreError` for an unknown instruction, a wild access or jump, or an endless loop.
        """
        self._reset()
        self._enter(arguments)
        self._execute(name)
        if not self.a[2] & 1:
            raise CoreError(f"{name} returned {self.a[2]:#x}, which is no small integer")
        return signed(self.a[2]) >> 1

    def _reset(self) -> None:
        self.a = [0] * 16
        self.q = [bytes(16)] * 8
        self.sar = self.accx = self.qacc_l = self.qacc_h = 0
        self.loop_begin = self.loop_end = self.loop_count = self.following = 0

    def _enter(self, arguments: tuple[int | Buffer, ...]) -> None:
        placed: dict[int, Segment] = {}
        address = _DATA
        objects = []
        for argument in arguments:
            if isinstance(argument, int):
                objects.append((argument << 1 | 1) & _MASK)
                continue
            if id(argument) not in placed:
                placed[id(argument)] = _segment(address, argument)
                address = _behind(placed[id(argument)])
            objects.append(placed[id(argument)].start << 1 | 1)
        stack = bytearray(1024)
        struct.pack_into(f"<{len(objects)}I", stack, 512, *objects)
        codes = (_segment(self._place(name), bytes(c)) for name, c in self.functions.items())
        # In the order of their addresses; what is kept has a list of its own.
        self.memory = [*placed.values(), _segment(_STACK, stack), *codes]
        self._starts = [segment.start for segment in self.memory]
        self.a[0] = _CALLER
        self.a[1], self.a[3], self.a[5] = _STACK + 512, len(arguments), _STACK + 512

    def _place(self, name: str) -> int:
        return _CODE + _APART * list(self.functions).index(name)

    def _execute(self, name: str) -> None:
        """From a function's beginning to its return; the registers are set."""
        before = self.code, self.begin, self.top
        self.code, self.begin = self.functions[name], self._place(name)
        self.counts[name] += self._run(self._decoded.setdefault(name, {}))
        self.code, self.begin, self.top = before

    def call8(self, target: int) -> None:
        """Call what lies there, in a window eight registers up."""
        window = self.a
        self.a = [_CALLER, window[1], *window[10:], *[_UNKNOWN] * 8]
        for register in range(4, 8):
            self.write(self.top - 48 + 4 * register, 4, window[register])
        if self.a[4] or self.read(self.a[2] + 12, 4) != target:
            raise CoreError("a call with keywords, or with the object of another function")
        if target in self._foreign:
            self.a[2] = self._call_foreign(self._foreign[target])
        else:
            names = {self._place(name): name for name in self.functions}
            if target not in names:
                raise CoreError(f"a call to {target:#x}, where no function begins")
            self._execute(names[target])
        saved = [self.read(self.top - 48 + 4 * register, 4) for register in range(4, 8)]
        self.a = window[:4] + saved + self.a[:8]

    def _call_foreign(self, function: Callable[..., int | None]) -> int:
        numbers = [signed(self.read(self.a[5] + 4 * i, 4)) >> 1 for i in range(self.a[3])]
        kept = {segment.start: buffer for buffer, segment in self._kept.values()}
        result = function(*(kept.get(number, number) for number in numbers))
        return ((result or 0) << 1 | 1) & _MASK

    def _run(self, operations: dict[int, Operation]) -> int:
        address, count = self.begin, 0
        while True:
            operation = operations.get(address)
            if operation is None:
                operation = operations[address] = self._decode(address)
            count += 1
            address = self.following = operation.following
            target = operation.run(self)
            if target is not None:
                if target == _RETURN:
                    return count
                address = target
            elif address == self.loop_end and self.loop_count:
                self.loop_count -= 1
                address = self.loop_begin
            if count > self.limit:
                raise CoreError("an endless loop")

    def _decode(self, address: int) -> Operation:
        offset = address - self.begin
        if not 0 <= offset < len(self.code):
            raise CoreError(f"a jump to {address:#x}, outside the code")
        found = next(_DECODER.disasm(self.code[offset : offset + 4], address, 1), None)
        if found is None:
            raise CoreError(f"no instruction at {offset:#x}: {self.code[offset:].hex()[:8]}")
        make = SEMANTICS.get(found.mnemonic)
        if make is None:
            raise CoreError(f"{found.mnemonic} at {offset:#x} isn't modelled")
        try:
            operands = [_operand(part, address) for part in found.op_str.split(", ") if part]
            return Operation(make(*operands), address + found.size)
        except (TypeError, ValueError) as error:
            raise CoreError(f"{found.mnemonic} {found.op_str}: {error}") from None

    def read(self, address: int, size: int) -> int:
        """An unsigned number of ``size`` bytes; its address must be aligned."""
        view, start = self._find(address, size, False)
        return int.from_bytes(view[start : start + size], "little")

    def write(self, address: int, size: int, value: int) -> None:
        """Store the low ``size`` bytes of a number; its address must be aligned."""
        view, start = self._find(address, size, True)
        view[start : start + size] = (value & (1 << 8 * size) - 1).to_bytes(size, "little")

    def _find(self, address: int, size: int, writing: bool) -> tuple[memoryview, int]:
        if address % size:
            raise CoreError(f"an access of {size} bytes at {address:#x}, which isn't aligned")
        kept = _KEPT <= address < _STACK
        segments = self._kept_segments if kept else self.memory
        index = bisect.bisect(self._kept_starts if kept else self._starts, address) - 1
        if index >= 0:
            start, end, view, writable = segments[index]
            if address + size <= end and (writable or not writing):
                return view, address - start
        raise CoreError(f"an access of {size} bytes at {address:#x}, outside the buffers")


_DECODER = capstone.Cs(capstone.CS_ARCH_XTENSA, capstone.CS_MODE_XTENSA_ESP32S3)
_RETURN = -1
_CALLER = 0x80001234  # what a0 says: return after a call8, to some address
SEMANTICS: dict[str, Callable[..., Callable[[Core], int | None]]] = {}


def _operand(text: str, address: int) -> int:
    """A register's number, an immediate or a target, which capstone writes as a distance.

    Only l32r's is an address already; no kernel lies so low that the two could be confused.
    """
    if text[0] in "aq" and text[1:].isdigit():
        return int(text[1:])
    if text.startswith("."):
        number = int(text[1:].replace(" ", "").replace("+", ""), 0)
        return number if number >= _CODE else address + number
    return int(text, 0)


def signed(value: int, bits: int = 32) -> int:
    """The low bits of a number, read in two's complement."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> bits - 1 else value


def semantics(*names: str):
    """Decorate the maker of an instruction's action with the names it goes by."""

    def register(make):
        for name in names:
            SEMANTICS[name] = make
        return make

    return register


def _three_registers(name: str, compute: Callable[[int, int], int]) -> None:
    """ar = compute(as, at) of unsigned values."""

    def make(r, s, t):
        def run(core):
            core.a[r] = compute(core.a[s], core.a[t]) & _MASK

        return run

    SEMANTICS[name] = make


for _name, _compute in {
    "add": lambda s, t: s + t,
    "add.n": lambda s, t: s + t,
    "addx2": lambda s, t: 2 * s + t,
    "addx4": lambda s, t: 4 * s + t,
    "addx8": lambda s, t: 8 * s + t,
    "sub": lambda s, t: s - t,
    "and": lambda s, t: s & t,
    "or": lambda s, t: s | t,
    "xor": lambda s, t: s ^ t,
    "mull": lambda s, t: s * t,
    "mulsh": lambda s, t: signed(s) * signed(t) >> 32,
    "max": lambda s, t: max(signed(s), signed(t)),
    "min": lambda s, t: min(signed(s), signed(t)),
}.items():
    _three_registers(_name, _compute)


def _with_immediate(name: str, compute: Callable[[int, int], int]) -> None:
    """First register = compute(second register, immediate)."""

    def make(r, s, immediate):
        def run(core):
            core.a[r] = compute(core.a[s], immediate) & _MASK

        return run

    SEMANTICS[name] = make


for _name, _compute in {
    "addi": lambda s, i: s + i,
    "addi.n": lambda s, i: s + i,
    "addmi": lambda s, i: s + i,
    "slli": lambda s, i: s << i,
    "srli": lambda s, i: s >> i,
    "srai": lambda s, i: signed(s) >> i,
    "clamps": lambda s, i: min(max(signed(s), -(1 << i)), (1 << i) - 1),
    "sext": lambda s, i: signed(s, i + 1),
}.items():
    _with_immediate(_name, _compute)


def _move_if(name: str, condition: Callable[[int], bool]) -> None:
    def make(r, s, t):
        def run(core):
            if condition(signed(core.a[t])):
                core.a[r] = core.a[s]

        return run

    SEMANTICS[name] = make


_move_if("moveqz", lambda t: t == 0)


def _unary(name: str, compute: Callable[[int, Core], int]) -> None:
    def make(r, s):
        def run(core):
            core.a[r] = compute(core.a[s], core) & _MASK

        return run

    SEMANTICS[name] = make


for _name, _compute_one in {
    "mov.n": lambda s, _: s,
    "neg": lambda s, _: -s,
    "abs": lambda s, _: abs(signed(s)),
    "nsau": lambda s, _: 32 - s.bit_length(),
    "nsa": lambda s, _: 31 - (s ^ _MASK if s >> 31 else s).bit_length(),
    "sll": lambda s, core: s << 32 - core.sar,
    "srl": lambda s, core: s >> core.sar,
    "sra": lambda s, core: signed(s) >> core.sar,
}.items():
    _unary(_name, _compute_one)


@semantics("src")
def _src(r, s, t):
    def run(core):
        core.a[r] = (core.a[s] << 32 | core.a[t]) >> core.sar & _MASK

    return run


@semantics("ssr")
def _ssr(s):
    def run(core):
        core.sar = core.a[s] & 31

    return run


@semantics("ssl")
def _ssl(s):
    def run(core):
        core.sar = 32 - (core.a[s] & 31)

    return run


@semantics("ssai")
def _ssai(immediate):
    def run(core):
        core.sar = immediate

    return run


@semantics("extui")
def _extui(r, t, shift, width):
    def run(core):
        core.a[r] = core.a[t] >> shift & (1 << width) - 1

    return run


@semantics("movi", "movi.n")
def _movi(r, immediate):
    def run(core):
        core.a[r] = immediate & _MASK

    return run


@semantics("nop")
def _nop():
    return lambda _: None


def _load(name: str, size: int, bits: int = 0) -> None:
    def make(t, s, offset):
        def run(core):
            value = core.read(core.a[s] + offset & _MASK, size)
            core.a[t] = signed(value, bits) & _MASK if bits else value

        return run

    SEMANTICS[name] = make


_load("l8ui", 1)
_load("l16ui", 2)
_load("l16si", 2, 16)
_load("l32i", 4)
_load("l32i.n", 4)


def _store(name: str, size: int) -> None:
    def make(t, s, offset):
        def run(core):
            core.write(core.a[s] + offset & _MASK, size, core.a[t])

        return run

    SEMANTICS[name] = make


_store("s8i", 1)
_store("s16i", 2)
_store("s32i", 4)
_store("s32i.n", 4)


@semantics("l32r")
def _l32r(t, address):
    def run(core):
        core.a[t] = core.read(address, 4)

    return run


@semantics("entry")
def _entry(s, size):
    def run(core):
        core.top = core.a[s]
        core.a[s] -= size

    return run


@semantics("callx8")
def _callx8(s):
    return lambda core: core.call8(core.a[s])


@semantics("retw.n")
def _retw():
    def run(core):
        if core.a[0] != _CALLER:
            raise CoreError("a return to nowhere")
        return _RETURN

    return run


@semantics("j")
def _j(target):
    return lambda _: target


@semantics("loop")
def _loop(s, end):
    def run(core):
        core.loop_begin, core.loop_end = core.following, end
        core.loop_count = core.a[s] - 1 & _MASK

    return run


@semantics("loopnez")
def _loopnez(s, end):
    enter = _loop(s, end)
    return lambda core: enter(core) if core.a[s] else end


def _branch(name: str, condition: Callable[[int, int], bool]) -> None:
    """Branch on two registers, or on a register and an immediate where the name ends in i."""
    immediate = name.endswith("i")

    def make(s, t, target):
        def run(core):
            return target if condition(core.a[s], t if immediate else core.a[t]) else None

        return run

    SEMANTICS[name] = make


for _name, _condition in {
    "beq": lambda s, t: s == t,
    "blt": lambda s, t: signed(s) < signed(t),
    "bge": lambda s, t: signed(s) >= signed(t),
    "bbci": lambda s, t: not s >> t & 1,
    "bbsi": lambda s, t: bool(s >> t & 1),
}.items():
    _branch(_name, _condition)


def _branch_zero(name: str, condition: Callable[[int], bool]) -> None:
    def make(s, target):
        def run(core):
            return target if condition(signed(core.a[s])) else None

        return run

    SEMANTICS[name] = make


_branch_zero("beqz", lambda s: s == 0)
_branch_zero("bnez", lambda s: s != 0)
_branch_zero("bgez", lambda s: s >= 0)
