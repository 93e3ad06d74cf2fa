"""Machine code of the instructions that MicroPython's assembler doesn't know.

Two kinds that it knows are here too: branches, since mpy-cross 1.29 turns every forward one into
two instructions, and addi_n, of which it encodes the number -1 wrongly.

Sources: the Xtensa Instruction Set Architecture reference manual for the scalar instructions, the
ESP32-S3 Technical Reference Manual, chapter "Processor Instruction Extensions", for those whose
names begin with ``ee_``. A dot in a manual's name is an underscore here.

A line of the table is name, operands, bits. Bits are written as the manuals draw them, the most
significant first; a letter stands for a bit of the operand that has this letter, its most
significant bit first too. Where the manual puts an operand's low bits before its high ones, the
low ones are capitals. Kinds of operands:

``a``  address register a0 to a15
``q``  vector register q0 to q7
``L``  label, as a distance in bytes (which the source's expansion computes), forwards or back
``E``  label of a hardware loop's end: forwards only
``M``  number whose code 0 means -1
``uN`` unsigned number, a multiple of N
``sN`` signed number, a multiple of N
``+N`` a number whose field holds the number less N
"""

import re
from dataclasses import dataclass

_TABLE = """
addi_n                    r:a s:a t:M              rrrrsssstttt1011
addmi                     t:a s:a i:s256           iiiiiiii1101sssstttt0010
beq                       s:a t:a i:L              iiiiiiii0001sssstttt0111
blt                       s:a t:a i:L              iiiiiiii0010sssstttt0111
bge                       s:a t:a i:L              iiiiiiii1010sssstttt0111
bbci                      s:a b:u1 i:L             iiiiiiii011bssssbbbb0111
bbsi                      s:a b:u1 i:L             iiiiiiii111bssssbbbb0111
beqz                      s:a i:L                  iiiiiiiiiiiissss00010110
bnez                      s:a i:L                  iiiiiiiiiiiissss01010110
bgez                      s:a i:L                  iiiiiiiiiiiissss11010110
j                         i:L                      iiiiiiiiiiiiiiiiii000110
callx8                    s:a                      000000000000ssss11100000
clamps                    r:a s:a t:+7             00110011rrrrsssstttt0000
extui                     r:a t:a s:u1 m:+1        mmmm010srrrrsssstttt0000
loop                      s:a i:E                  iiiiiiii1000ssss01110110
loopnez                   s:a i:E                  iiiiiiii1001ssss01110110
max_                      r:a s:a t:a              01010011rrrrsssstttt0000
min_                      r:a s:a t:a              01000011rrrrsssstttt0000
moveqz                    r:a s:a t:a              10000011rrrrsssstttt0000
movi_12                   t:a i:s1                 IIIIIIII1010iiiitttt0010
mulsh                     r:a s:a t:a              10110010rrrrsssstttt0000
sext                      r:a s:a t:+7             00100011rrrrsssstttt0000

rur_accx_0                r:a                      11100011rrrr000000000000
rur_qacc_h_0              r:a                      11100011rrrr000000100000
rur_qacc_h_1              r:a                      11100011rrrr000000110000
rur_qacc_h_2              r:a                      11100011rrrr000001000000
rur_qacc_h_3              r:a                      11100011rrrr000001010000
rur_qacc_h_4              r:a                      11100011rrrr000001100000
rur_qacc_l_0              r:a                      11100011rrrr000001110000
rur_qacc_l_1              r:a                      11100011rrrr000010000000
rur_qacc_l_2              r:a                      11100011rrrr000010010000
rur_qacc_l_3              r:a                      11100011rrrr000010100000
rur_qacc_l_4              r:a                      11100011rrrr000010110000
ee_zero_accx                                       001001010000100000000100
ee_zero_qacc                                       001001010000100001000100
ee_vld_128_ip             u:q s:a i:s16            1iuu0011uiiiiiiissss0100
ee_vld_128_xp             u:q s:a d:a              10uu1101u010ddddssss0100
ee_vst_128_ip             v:q s:a i:s16            1ivv1010viiiiiiissss0100
ee_vldbc_8                u:q s:a                  11uu1101u0111011ssss0100
ee_xorq                   d:q x:q y:q              11dd1101d011yy01xxyx0100
ee_vmulas_u8_accx         x:q y:q                  000010100y0yyxxx11000100
ee_vmulas_s8_qacc         x:q y:q                  000110100y1yyxxx11000100
ee_vmulas_u8_accx_ld_ip   u:q s:a i:s16 x:q y:q    1111iiuuY000u110XXyyiiiissss111x
"""


@dataclass(frozen=True)
class Instruction:
    """One instruction: ``operands`` are (letter, kind) in the order of the source."""

    name: str
    operands: tuple[tuple[str, str], ...]
    bits: str

    @property
    def size(self) -> int:
        """Bytes of machine code."""
        return len(self.bits) // 8

    @property
    def takes_label(self) -> bool:
        """Whether the last operand is a label."""
        return bool(self.operands) and self.operands[-1][1] in "LE"

    def encode(self, *operands: str | int) -> int:
        """The instruction's word; ``ValueError`` says which operand doesn't fit, and why."""
        if len(operands) != len(self.operands):
            raise ValueError(
                f"{self.name} takes {len(self.operands)} operands, not {len(operands)}"
            )
        fields = {}
        for (letter, kind), operand in zip(self.operands, operands, strict=True):
            low = self.bits.count(letter.upper())
            width = self.bits.count(letter) + low
            value = _field(self.name, kind, width, operand)
            bits = [value >> bit & 1 for bit in reversed(range(width))]
            fields[letter], fields[letter.upper()] = bits[: width - low], bits[width - low :]
        word = 0
        for bit in self.bits:
            word = word << 1 | (fields[bit].pop(0) if bit in fields else int(bit))
        return word


def _field(name: str, kind: str, width: int, operand: str | int) -> int:
    """The bits of one operand, as an unsigned number of ``width`` bits."""
    if kind in "aq":
        found = re.fullmatch(kind + r"(\d+)", str(operand))
        if not found or int(found[1]) >= 1 << width:
            raise ValueError(f"{name} expects a register {kind}0..{kind}{(1 << width) - 1}")
        return int(found[1])
    if not isinstance(operand, int):
        raise ValueError(f"{name} expects a number, not {operand!r}")
    value = operand
    if kind == "M":
        value = {-1: 0, 0: -1}.get(operand, operand)
    elif kind[0] == "+":
        value = operand - int(kind[1:])
    elif kind[0] in "us":
        value, rest = divmod(operand, int(kind[1:]))
        if rest:
            raise ValueError(f"{name} expects a multiple of {kind[1:]}, not {operand}")
    lowest = -(1 << width - 1) if kind[0] in "sL" else 0
    if not lowest <= value < lowest + (1 << width):
        what = "the label is too far" if kind in "LE" else f"{operand} is out of range"
        raise ValueError(f"{name}: {what}")
    return value & (1 << width) - 1


def _read_table() -> dict[str, Instruction]:
    table = {}
    for line in _TABLE.split("\n"):
        if line:
            name, *operands, bits = line.split()
            pairs = [operand.split(":") for operand in operands]
            table[name] = Instruction(name, tuple((a, b) for a, b in pairs), bits)
    return table


INSTRUCTIONS = _read_table()
