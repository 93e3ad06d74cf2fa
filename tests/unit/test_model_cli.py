"""``bluering model``: files in, files and facts out, failures as one sentence."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bluering.cli.model import app
from bluering.models.errors import ModelError
from bluering.models.packaged import packaged

SOURCE = packaged("alexa").source


def invoke(*arguments: object):
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_compile_writes_the_compiled_model(tmp_path: Path) -> None:
    output = tmp_path / "alexa.ear"
    result = invoke("compile", SOURCE, "-o", output)
    assert result.exit_code == 0, result.output
    assert output.read_bytes() == packaged("alexa").blob
    assert [path.name for path in tmp_path.iterdir()] == ["alexa.ear"]


def test_info_tells_the_same_of_a_source_and_of_what_it_becomes(tmp_path: Path) -> None:
    output = tmp_path / "alexa.ear"
    output.write_bytes(packaged("alexa").blob)
    facts = [json.loads(invoke("info", path, "--json").stdout) for path in (SOURCE, output)]
    assert facts[0]["compiled"] == facts[1]["compiled"]
    assert facts[0]["compiled"]["stride"] == 3
    assert facts[0]["file_bytes"] == SOURCE.stat().st_size


def test_info_is_legible() -> None:
    said = invoke("info", SOURCE).stdout
    assert "multiply-accumulates a step" in said
    assert "depthwise" in said


@pytest.mark.parametrize("content", [b"", b"nonsense " * 9, SOURCE.read_bytes()[:30_000]])
def test_what_is_no_model_is_refused_and_nothing_is_written(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "broken.tflite"
    source.write_bytes(content)
    for arguments in (("compile", source, "-o", tmp_path / "out.ear"), ("info", source)):
        result = invoke(*arguments)
        assert isinstance(result.exception, ModelError)
        assert "broken.tflite" in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["broken.tflite"]


def test_a_missing_source_and_an_unwritable_target_are_named(tmp_path: Path) -> None:
    missing = invoke("compile", tmp_path / "none.tflite", "-o", tmp_path / "out.ear")
    assert "none.tflite can't be read: No such file" in str(missing.exception)
    nowhere = invoke("compile", SOURCE, "-o", tmp_path / "no" / "out.ear")
    assert f"out.ear can't be written: there is no folder {tmp_path / 'no'}" in str(
        nowhere.exception
    )
