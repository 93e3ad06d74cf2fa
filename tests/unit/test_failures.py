"""A command that fails says so in words and by its exit code, never in a traceback."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from bluering import cli
from bluering.cli import failures
from bluering.errors import BlueRingError, ExitCode


def _run(*arguments: str, stdout: int) -> tuple[int, str]:
    """The command as a process; its exit code and what it told on standard error."""
    ran = subprocess.run(
        [sys.executable, "-c", "from bluering.cli import main; main()", *arguments],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        timeout=120,
        check=False,
    )
    return ran.returncode, ran.stderr


def test_a_failure_is_told_with_its_next_step(capsys):
    def fails():
        raise BlueRingError("brightness must be 1 to 60, got 99", "name one of these")

    assert failures.run(fails) == ExitCode.FAILED
    assert capsys.readouterr().err == (
        "error: brightness must be 1 to 60, got 99\n  hint: name one of these\n"
    )


def test_a_failure_without_a_next_step_is_one_line(capsys):
    def fails():
        raise BlueRingError("it is so")

    failures.run(fails)
    assert capsys.readouterr().err == "error: it is so\n"


def test_where_there_is_one_line_the_hint_stands_in_it():
    assert BlueRingError("it is so", "try again").told() == "it is so (try again)"
    assert BlueRingError("it is so").told() == "it is so"


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (FileNotFoundError(errno.ENOENT, "", "/a"), "/a failed: there is no such file or folder"),
        (PermissionError(errno.EACCES, "", "/a"), "/a failed: permission is denied"),
        (OSError(errno.ENOSPC, ""), "the command failed: the disk is full"),
        (OSError(errno.EADDRINUSE, ""), "the command failed: another program uses this address"),
        (TimeoutError("no answer"), "the command failed: no answer"),
    ],
)
def test_what_the_computer_refuses_is_told_in_words(capsys, error, told):
    def fails():
        raise error

    assert failures.run(fails) == ExitCode.COMPUTER
    assert capsys.readouterr().err.splitlines()[0] == f"error: {told}"


def test_the_exit_code_of_a_command_stays_what_it_was():
    app = typer.Typer()

    @app.command()
    def command(code: int) -> None:
        raise typer.Exit(code)

    assert failures.run(lambda: app(["4"])) == 4
    assert failures.run(lambda: app(["word"])) == 2
    assert failures.run(lambda: None) == ExitCode.DONE


def test_the_help_names_every_exit_code():
    epilog = cli.app.info.epilog
    assert isinstance(epilog, str)
    assert all(f" {code.value} " in epilog for code in ExitCode)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_under_standard_output_is_told():
    with open("/dev/full", "w") as full:
        code, told = _run("board", "list", "--json", stdout=full.fileno())
    assert told.startswith("error: the command failed: the disk is full\n  hint: ")
    assert "Traceback" not in told
    assert "Exception" not in told
    assert code == ExitCode.COMPUTER


def test_a_reader_who_is_gone_ends_it_without_a_word():
    reader, writer = os.pipe()
    os.close(reader)
    try:
        assert _run("board", "list", "--json", stdout=writer) == (ExitCode.FAILED, "")
    finally:
        os.close(writer)


def test_a_file_that_cant_be_written_ends_a_command_with_its_code(tmp_path):
    source = Path(__file__).parents[2] / "models" / "alexa" / "alexa.tflite"
    target = tmp_path / "missing" / "alexa.ear"
    arguments = "model", "compile", str(source), "-o", str(target)
    code, told = _run(*arguments, stdout=subprocess.DEVNULL)
    assert told == (
        f"error: {target} can't be written: there is no folder {target.parent}\n"
        "  hint: make it first, or name another place\n"
    )
    assert code == ExitCode.COMPUTER
