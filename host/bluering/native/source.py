"""Expand an assembler source into what MicroPython's assembler takes.

A source is a Python file that is read, never run: constants (``NAME = 3 * 4``), macros (plain
functions, whose body takes the place of their call), and kernels, which are decorated with
``@micropython.asm_xtensa``. In bodies, beside the assembler's instructions:

- instructions of ``instructions.py``, which become ``data(size, word)``;
- ``for i in range(...):`` of constants, unrolled;
- names of constants, of a macro's parameters and of a ``for``'s variable, in expressions; a
  parameter may also be an instruction or a macro;
- ``label(NAME)`` and branches to it; a macro's labels belong to one call of it;
- ``loop(a2, END)`` and ``loopnez(a2, END)``: a hardware loop of what stands up to ``label(END)``.
"""

import ast
from dataclasses import dataclass, field
from pathlib import Path

from bluering.native.errors import NativeBuildError
from bluering.native.instructions import INSTRUCTIONS

_DECORATOR = "micropython.asm_xtensa"
_REGISTERS = frozenset(f"{bank}{n}" for bank in "aq" for n in range(16))
_OPERATORS = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.LShift: lambda a, b: a << b,
    ast.RShift: lambda a, b: a >> b,
    ast.BitOr: lambda a, b: a | b,
}


@dataclass(frozen=True)
class Line:
    """One instruction with the line of the source that it comes from."""

    number: int
    name: str
    operands: tuple[str | int, ...]

    @property
    def size(self) -> int:
        """Bytes of machine code."""
        if self.name == "label":
            return 0
        if self.name in INSTRUCTIONS:
            return INSTRUCTIONS[self.name].size
        return 2 if self.name.endswith("_n") or self.name == "mov" else 3

    @property
    def text(self) -> str:
        """The line for MicroPython's assembler."""
        if self.name in INSTRUCTIONS:
            instruction = INSTRUCTIONS[self.name]
            return f"data({instruction.size}, {instruction.encode(*self.operands):#x})"
        return f"{self.name}({', '.join(map(str, self.operands))})"


@dataclass(frozen=True)
class Kernel:
    """One function: its name, its instructions, the bytes that its literals take."""

    name: str
    number: int
    lines: tuple[Line, ...]

    @property
    def size(self) -> int:
        """Bytes of machine code between entry and exit, which the assembler adds."""
        return sum(line.size for line in self.lines)

    @property
    def literals(self) -> int:
        """How many constants ``movi`` puts before the code."""
        return sum(line.name == "movi" for line in self.lines)


def read_source(path: Path) -> list[Kernel]:
    """The kernels of a source, expanded; an error names the file and the line."""
    try:
        tree = ast.parse(path.read_text(), path.name)
    except SyntaxError as error:
        raise NativeBuildError(f"{path}:{error.lineno}: {error.msg}") from None
    return _Source(path, tree).kernels()


@dataclass
class _Scope:
    """Names in force while a body is expanded."""

    names: dict[str, str | int]
    prefix: str = ""
    depth: int = 0


@dataclass
class _Source:
    path: Path
    tree: ast.Module
    constants: dict[str, str | int] = field(default_factory=dict)
    macros: dict[str, ast.FunctionDef] = field(default_factory=dict)
    calls: int = 0

    def kernels(self) -> list[Kernel]:
        kernels = []
        functions = [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]
        self.macros = {node.name: node for node in functions if not node.decorator_list}
        for node in self.tree.body:
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                value = self.value(node.value, _Scope(self.constants))
                self.constants[node.targets[0].id] = value
            elif isinstance(node, ast.FunctionDef) and self.is_kernel(node):
                lines = self.place(self.body(node.body, _Scope(dict(self.constants))))
                kernels.append(Kernel(node.name, node.lineno, tuple(lines)))
            elif node not in self.macros.values() and not isinstance(node, ast.Import | ast.Expr):
                raise self.error(node, "only constants, macros and kernels belong here")
        return kernels

    def is_kernel(self, node: ast.FunctionDef) -> bool:
        return [ast.unparse(d) for d in node.decorator_list] == [_DECORATOR]

    def error(self, node: ast.AST | int, message: str) -> NativeBuildError:
        number = node if isinstance(node, int) else getattr(node, "lineno", 0)
        return NativeBuildError(f"{self.path}:{number}: {message}")

    def body(self, nodes: list[ast.stmt], scope: _Scope) -> list[Line]:
        lines: list[Line] = []
        for node in nodes:
            if isinstance(node, ast.For):
                lines += self.unroll(node, scope)
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # a docstring
            elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
                lines += self.call(node.value, scope)
            elif not isinstance(node, ast.Pass):
                raise self.error(node, "expected an instruction, a macro or a for of a range")
        return lines

    def unroll(self, node: ast.For, scope: _Scope) -> list[Line]:
        source = node.iter
        if not (
            isinstance(node.target, ast.Name)
            and isinstance(source, ast.Call)
            and ast.unparse(source.func) == "range"
        ):
            raise self.error(node, "a for goes over a range of constants")
        bounds = [self.value(argument, scope) for argument in source.args]
        lines: list[Line] = []
        for value in range(*(self.number(node, bound) for bound in bounds)):
            names = scope.names | {node.target.id: value}
            lines += self.body(node.body, _Scope(names, scope.prefix, scope.depth))
        return lines

    def call(self, node: ast.Call, scope: _Scope) -> list[Line]:
        name = ast.unparse(node.func)
        name = str(scope.names.get(name, name))
        operands = tuple(self.value(argument, scope) for argument in node.args)
        if name in self.macros:
            return self.expand(node, self.macros[name], operands, scope)
        if name == "movi" and isinstance(operands[-1], int) and -2048 <= operands[-1] < 2048:
            name = "movi_12"  # mpy-cross would load it from memory
        return [Line(node.lineno, name, operands)]

    def expand(
        self,
        node: ast.Call,
        macro: ast.FunctionDef,
        operands: tuple[str | int, ...],
        scope: _Scope,
    ) -> list[Line]:
        parameters = [argument.arg for argument in macro.args.args]
        if len(parameters) != len(operands):
            raise self.error(node, f"{macro.name} takes {len(parameters)} operands")
        if scope.depth > 20:
            raise self.error(node, f"{macro.name} calls itself without end")
        self.calls += 1
        names = self.constants | dict(zip(parameters, operands, strict=True))
        inner = _Scope(names, f"{macro.name}_{self.calls}_", scope.depth + 1)
        return self.body(macro.body, inner)

    def value(self, node: ast.expr, scope: _Scope) -> str | int:
        """A register, a label or a number."""
        if isinstance(node, ast.Constant) and isinstance(node.value, int):
            return node.value
        if isinstance(node, ast.Name):
            if node.id in scope.names:
                return scope.names[node.id]
            known = node.id in _REGISTERS or node.id in INSTRUCTIONS or node.id in self.macros
            return node.id if known else scope.prefix + node.id
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
            return -self.number(node, self.value(node.operand, scope))
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            left = self.number(node, self.value(node.left, scope))
            right = self.number(node, self.value(node.right, scope))
            return _OPERATORS[type(node.op)](left, right)
        raise self.error(node, f"{ast.unparse(node)} is no register, label or number")

    def number(self, node: ast.AST, value: str | int) -> int:
        if isinstance(value, int):
            return value
        raise self.error(node, f"{value} isn't a constant")

    def place(self, lines: list[Line]) -> list[Line]:
        """Turn labels into the distances that branches and loops hold, and drop them."""
        addresses: dict[str | int, int] = {}
        here = 0
        for line in lines:
            if line.name == "label":
                if line.operands[0] in addresses:
                    raise self.error(line.number, f"label {line.operands[0]} is there twice")
                addresses[line.operands[0]] = here
            here += line.size
        placed, here = [], 0
        for line in lines:
            if line.name != "label":
                placed.append(self.aim(line, here, addresses))
            here += line.size
        return placed

    def aim(self, line: Line, here: int, addresses: dict[str | int, int]) -> Line:
        """The instruction at ``here`` with its label as a distance, checked for its encoding."""
        instruction = INSTRUCTIONS.get(line.name)
        if instruction is None:
            return line
        operands = line.operands
        if instruction.takes_label and operands:
            if operands[-1] not in addresses:
                raise self.error(line.number, f"no label {operands[-1]}")
            # Distances count from the branch's own address plus four.
            operands = (*operands[:-1], addresses[operands[-1]] - here - 4)
        try:
            instruction.encode(*operands)
        except ValueError as error:
            raise self.error(line.number, str(error)) from None
        return Line(line.number, line.name, operands)
