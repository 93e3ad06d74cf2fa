"""Make the typed records and the protocol's description from ``ear/link/messages.py``.

``python -m bluering.link.generate`` writes ``records.py`` and ``protocol.md`` beside this
file; a test fails when they don't say what the declaration says. The meanings are comments
there, so that they take no room on the device.
"""

import ast
import inspect
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bluering import files
from ear.link import frames, messages

_PYTHON_TYPES = {
    "bytes8": "bytes",
    "bytes16": "bytes",
    "bytes32": "bytes",
    "bytes": "bytes",
    "str": "str",
    "u8s": "bytes",
}

_RECORDS_HEAD = '''\
"""The link's messages as typed records.

Made by ``python -m bluering.link.generate`` from ``ear/link/messages.py``: change that.
"""

from dataclasses import dataclass
from typing import ClassVar

from ear.link import messages


class Record:
    """A decoded message; what its fields are stands in its declaration."""

    __slots__ = ()
    declaration: ClassVar[messages.Message]
'''

_PROTOCOL_HEAD = f"""\
# The link's protocol, version {messages.VERSION}

Made by `python -m bluering.link.generate` from `ear/link/messages.py` and `ear/link/frames.py`.

{inspect.getdoc(frames)}

Field types: `u8`, `u16`, `u32` unsigned; `position` a time in hops, u48; `bytes8`, `bytes16`,
`bytes32` so many bytes; `str` UTF-8 after a u8 with its length in bytes; `u8s` numbers of 8 bits
after a u8 with their count; `bytes` after a u16 with their count. All little-endian, without
padding.
"""


@dataclass(frozen=True)
class Field:
    """A field and what it means."""

    name: str
    type: str
    meaning: str


@dataclass(frozen=True)
class Described:
    """A message with the comments of its declaration."""

    variable: str
    message: messages.Message
    meaning: str
    fields: tuple[Field, ...]

    @property
    def class_name(self) -> str:
        return "".join(part.title() for part in self.message.name.split("_"))


def describe() -> list[Described]:
    """Every message with its meanings, in the declaration's order."""
    source = inspect.getsource(messages)
    comments = _comments(source)
    return [
        Described(
            variable,
            message := getattr(messages, variable),
            _comment_above(comments, line),
            tuple(
                Field(name, kind, comments.get(field_line, ""))
                for (name, kind), field_line in zip(message.fields, field_lines, strict=True)
            ),
        )
        for variable, line, field_lines in _declarations(source)
    ]


def _comments(source: str) -> dict[int, str]:
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return {
        token.start[0]: token.string.lstrip("# ")
        for token in tokens
        if token.type == tokenize.COMMENT
    }


def _comment_above(comments: dict[int, str], line: int) -> str:
    text: list[str] = []
    while (line := line - 1) in comments:
        text.insert(0, comments[line])
    return " ".join(text)


def _declarations(source: str) -> Iterator[tuple[str, int, list[int]]]:
    """Each message's variable, its line and its fields' lines."""
    for node in ast.parse(source).body:
        match node:
            case ast.Assign(
                targets=[ast.Name(id=variable)],
                value=ast.Call(func=ast.Name(id="Message"), args=[_, _, _, *fields]),
            ):
                yield variable, node.lineno, [field.lineno for field in fields]


def records() -> str:
    """The source of ``records.py``."""
    described = describe()
    names = "".join(f"        {one.class_name},\n" for one in described)
    table = (
        "RECORDS: dict[int, type[Record]] = {\n"
        "    record.declaration.id: record\n"
        f"    for record in (\n{names}    )\n}}\n"
    )
    return "\n\n".join([_RECORDS_HEAD, *(_record(one) for one in described), table])


def _record(one: Described) -> str:
    lines = [
        "@dataclass(frozen=True, slots=True)",
        f"class {one.class_name}(Record):",
        f'    """{one.meaning}"""',
        "",
        f"    declaration: ClassVar[messages.Message] = messages.{one.variable}",
    ]
    for field in one.fields:
        lines.append("")
        lines.append(f"    {field.name}: {_PYTHON_TYPES.get(field.type, 'int')}")
        lines.append(f'    """{_sentence(field.meaning)}"""')
    return "\n".join(lines) + "\n"


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def protocol() -> str:
    """The text of ``protocol.md``."""
    parts = [_PROTOCOL_HEAD]
    for title, from_device in (("From the device", True), ("To the device", False)):
        parts.append(f"## {title}\n")
        parts += [_section(one) for one in describe() if one.message.from_device is from_device]
    return "\n".join(parts)


def _section(one: Described) -> str:
    lines = [f"### {one.message.name} ({one.message.id})", "", one.meaning, ""]
    if one.fields:
        lines += ["| field | type | meaning |", "| --- | --- | --- |"]
        lines += [f"| {field.name} | {field.type} | {field.meaning} |" for field in one.fields]
        lines.append("")
    return "\n".join(lines)


def outputs() -> dict[Path, str]:
    """What each generated file must hold."""
    folder = Path(__file__).parent
    return {folder / "records.py": records(), folder / "protocol.md": protocol()}


if __name__ == "__main__":
    for path, text in outputs().items():
        files.write(path, text)
